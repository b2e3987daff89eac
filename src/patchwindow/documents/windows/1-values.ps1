# The patch operation for Windows: what patchwindow's documents fetch and run (docs/windows.md). For Windows PowerShell 4.0 and 5.1.
# The parts of this folder are one script, in the order of their names.
$ErrorActionPreference = 'Stop'
# Without this, 5.1 writes some arrays as objects that have a value and a Count.
Remove-TypeData System.Array -ErrorAction SilentlyContinue

$rebootsMax = 3
$cutOffsMax = 3
$schema = 1

# By the id of the category, since its name comes in the language of the system.
$classifications = @{
    '0fa1201d-4330-4fa8-8ae9-b877473b6441' = 'SecurityUpdates'
    '28bc880e-0592-4cbf-8f95-c79b17911d5f' = 'UpdateRollups'
    '3689bdc8-b205-4af4-8d4a-a63924c5e9d5' = 'Upgrades'
    '68c5b0a3-d1a6-4553-ae49-01d3a7827828' = 'ServicePacks'
    'b4832bd8-e735-4761-8daf-37f882276dab' = 'Tools'
    'b54e7d24-7add-428f-8b75-90a396fa584f' = 'FeaturePacks'
    'cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83' = 'Updates'
    'e0789628-ce08-4437-be74-2495b842f43b' = 'DefinitionUpdates'
    'e6cf1350-c01b-414d-a61f-263d14d133b4' = 'CriticalUpdates'
    'ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0' = 'Drivers'
}
# Newer servers are called otherwise in the catalogue than by everybody else.
$products = @{
    'Microsoft Server operating system-21H2' = 'WindowsServer2022'
    'Microsoft Server operating system-24H2' = 'WindowsServer2025'
}
$behaviours = @('never', 'always', 'possible')
$sentences = @{
    '0x80070005' = 'access was denied'
    '0x8007000E' = 'the machine ran out of memory'
    '0x80070070' = 'the disk is full'
    '0x80070422' = 'the Windows Update service is disabled'
    '0x800705B4' = 'it took too long'
    '0x80070643' = 'the installer of the update failed'
    '0x80072EE2' = 'the update server did not answer in time'
    '0x80072EE7' = 'the name of the update server could not be resolved'
    '0x80072EFD' = 'the update server could not be connected to'
    '0x80072F8F' = 'the certificate of the update server is not valid by the clock and the store of this machine'
    '0x80073712' = 'the component store is damaged; repair it with DISM'
    '0x800F081F' = 'files that it needs are not there; repair the component store with DISM'
    '0x800F0831' = 'the component store is damaged; repair it with DISM'
    '0x800F0922' = 'a part of its installation failed'
    '0x8024000B' = 'it was cancelled'
    '0x80240016' = 'another installation is running, or Windows has to be restarted first'
    '0x80240017' = 'it does not apply to this machine'
    '0x80240020' = 'it needs somebody who is logged on'
    '0x80240022' = 'it could not be installed'
    '0x80240023' = 'its terms were not accepted'
    '0x8024002E' = 'a policy keeps this machine from the update server'
    '0x80240034' = 'it could not be downloaded'
    '0x80240438' = 'the update server could not be reached'
    '0x80242014' = 'it waits for another restart'
    '0x80244019' = 'the update server does not have it (HTTP 404)'
    '0x8024401C' = 'the update server did not answer in time (HTTP 408)'
    '0x80244022' = 'the update server is overloaded (HTTP 503)'
    '0x8024402C' = 'the name of the update server or of the proxy could not be resolved'
    '0x80246007' = 'it has not been downloaded'
}

function Get-Sentence {
    param($Code)
    $hex = '0x{0:X8}' -f $Code
    if ($sentences.ContainsKey($hex)) { return "$($sentences[$hex]) ($hex)" }
    return "Windows Update gave the error $hex"
}

function Get-Problem {
    param($ErrorRecord)
    $base = $ErrorRecord.Exception.GetBaseException()
    if ($base -is [Runtime.InteropServices.COMException]) { return Get-Sentence $base.ErrorCode }
    return $base.Message
}

# One line of printable characters, as the server takes it.
function Get-Line {
    param($Text)
    $line = ("$Text" -replace '[\p{C}\p{Z}]+', ' ').Trim()
    if ($line.Length -gt 1000) { return $line.Substring(0, 1000).Trim() }
    return $line
}

function Get-Seconds {
    param($Instant)
    $epoch = New-Object DateTime -ArgumentList 1970, 1, 1
    return [int64][Math]::Floor(($Instant - $epoch).TotalSeconds)
}

function Get-Now {
    return Get-Seconds ([DateTime]::UtcNow)
}

function Write-Line {
    param($Text)
    [Console]::Out.WriteLine($Text)
}

function Write-List {
    param($Heading, $Lines)
    if ($Lines.Count -eq 0) { return }
    Write-Line "${Heading}: $($Lines.Count)"
    for ($i = 0; $i -lt $Lines.Count -and $i -lt 50; $i++) { Write-Line "  $($Lines[$i])" }
    if ($Lines.Count -gt 50) { Write-Line "  and $($Lines.Count - 50) more" }
}
