# Makes this Windows machine a node: points the amazon-ssm-agent that is installed at the patchwindow server, and registers it.
# The line that `patchwindow activations create --line powershell` prints runs this, in an elevated PowerShell.
param(
    [Parameter(Mandatory = $true)][string]$Url,
    [Parameter(Mandatory = $true)][string]$ActivationId,
    [Parameter(Mandatory = $true)][string]$ActivationCode,
    [Parameter(Mandatory = $true)][string]$Region
)
$ErrorActionPreference = 'Stop'
$folder = Join-Path $env:ProgramFiles 'Amazon\SSM'
$program = Join-Path $folder 'amazon-ssm-agent.exe'
if (-not (Test-Path $program)) {
    throw "patchwindow: $program is not there; install the amazon-ssm-agent for Windows first, then run the line again"
}
$endpoint = @{ Endpoint = $Url }
$settings = @{
    Ssm      = $endpoint
    Mds      = $endpoint
    Mgs      = $endpoint
    Identity = @{ ConsumptionOrder = @('OnPrem') }
}
$path = Join-Path $folder 'amazon-ssm-agent.json'
if (Test-Path $path) {
    Copy-Item $path "$path.before-patchwindow" -Force
}
Stop-Service AmazonSSMAgent
# Without the mark at its beginning that PowerShell 5.1 writes for UTF8, which the agent does not read.
[IO.File]::WriteAllText($path, ($settings | ConvertTo-Json -Depth 4))
& $program -register -y -id $ActivationId -code $ActivationCode -region $Region
if ($LASTEXITCODE -ne 0) {
    throw "patchwindow: the registration failed with exit code $LASTEXITCODE; the agent's log in $env:ProgramData\Amazon\SSM\Logs says why"
}
Set-Service AmazonSSMAgent -StartupType Automatic
Start-Service AmazonSSMAgent
Write-Output 'patchwindow: the agent is registered and runs'
