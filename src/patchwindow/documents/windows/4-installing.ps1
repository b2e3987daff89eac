# Downloading and installing, one update after another, so that one that fails keeps none from being installed.
$busySeconds = 1800
$notAllowed = '0x80240016'

function New-Collection {
    param($Update)
    $collection = New-Object -ComObject Microsoft.Update.UpdateColl
    [void]$collection.Add($Update)
    # Else the pipeline would take the collection apart.
    return , $collection
}

# Why the update cannot be installed without a person; empty where it can.
function Get-Obstacle {
    param($Update)
    if ($null -ne $Update.InstallationBehavior -and $Update.InstallationBehavior.CanRequestUserInput) { return 'it may ask a person something, and nobody is there; install it by hand' }
    return ''
}

# Downloads an update; the answer is why it could not be, empty where it could.
function Save-Update {
    param($Update)
    $problem = ''
    for ($try = 1; $try -le 3; $try++) {
        if ($try -gt 1) { Start-Sleep -Seconds (15 * ($try - 1)) }
        try {
            if (-not $Update.EulaAccepted) { [void]$Update.AcceptEula() }
            $downloader = $session.CreateUpdateDownloader()
            $downloader.Updates = New-Collection $Update
            $result = $downloader.Download()
            if (@(2, 3) -contains $result.ResultCode) { return '' }
            $one = $result.GetUpdateResult(0)
            $problem = Get-Sentence $one.HResult
        } catch {
            $problem = Get-Problem $_
        }
    }
    return "it could not be downloaded: $problem"
}

# Installs an update that was downloaded: whether Windows has to be restarted before, and why it failed, empty where it did not.
function Install-Update {
    param($Update)
    $problem = ''
    for ($try = 1; $try -le 2; $try++) {
        try {
            $installer = $session.CreateUpdateInstaller()
            $installer.ForceQuiet = $true
            $installer.AllowSourcePrompts = $false
            $installer.Updates = New-Collection $Update
            $waited = 0
            while ($installer.IsBusy) {
                if ($waited -ge $busySeconds) { return @{ IsDeferred = $false; Problem = "another installation has been running for $busySeconds s; try again when it has ended" } }
                Start-Sleep -Seconds 15
                $waited += 15
            }
            if ($installer.RebootRequiredBeforeInstallation) { return @{ IsDeferred = $true; Problem = '' } }
            $result = $installer.Install()
            $one = $result.GetUpdateResult(0)
            if (@(2, 3) -contains $one.ResultCode) { return @{ IsDeferred = $false; Problem = '' } }
            $problem = Get-Sentence $one.HResult
        } catch {
            $problem = Get-Problem $_
        }
        # Another installation began in between: that one is waited for.
        if ($problem -notlike "*$notAllowed*") { break }
    }
    return @{ IsDeferred = $false; Problem = $problem }
}
