"""What the lines that install agents are made of."""

from patchwindow.operations.call import Answer, Call, Request


def get(call: Call, _: Request) -> Answer:
    """GetAgentInstallation: where the server is, and by what it is known."""
    site = call.site
    told = {
        "Url": site.public_url,
        "Region": site.region,
        "CaFingerprint": site.ca_fingerprint,
        "ProgramDigest": site.program_digest,
    }
    return {name: value for name, value in told.items() if value}
