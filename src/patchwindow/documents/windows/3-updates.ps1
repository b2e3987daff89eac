# What Windows Update knows, as facts (docs/facts.md), through the interface of the Windows Update Agent.
$updateKey = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
$servicingKey = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'
$sessionKey = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager'
$policyKey = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate'

function New-Session {
    $session = New-Object -ComObject Microsoft.Update.Session
    $session.ClientApplicationID = 'patchwindow'
    # English, so that one update has one title on all machines.
    $session.UserLocale = 1033
    return $session
}

function Get-Items {
    param($Collection)
    if ($null -eq $Collection) { return }
    for ($i = 0; $i -lt $Collection.Count; $i++) { $Collection.Item($i) }
}

function Search-Updates {
    param($Criteria, $IsOnline)
    $searcher = $session.CreateUpdateSearcher()
    $searcher.Online = $IsOnline
    $result = $searcher.Search($Criteria)
    # 3 would be a part of what there is, and a part is no scan.
    if ($result.ResultCode -ne 2) { throw "the search for $Criteria ended with the result $($result.ResultCode), not 2; Windows' own update log says why" }
    Get-Items $result.Updates
}

# All that Windows Update finds here: the facts, when each update was installed, and the updates themselves by id.
function Get-Scan {
    param($IsOnline)
    $installed = @(Search-Updates 'IsInstalled=1' $IsOnline)
    $waiting = @(Search-Updates 'RebootRequired=1' $IsOnline)
    $offered = @(Search-Updates 'IsInstalled=0 and IsHidden=0' $IsOnline)
    $times = Get-InstallTimes
    $replaced = @{}
    foreach ($update in $installed) {
        foreach ($id in @(Get-Items $update.SupersededUpdateIDs)) { $replaced[$id] = $true }
    }
    $scan = @{ ById = @{}; States = @{}; Present = @{}; Facts = $null; InstalledAt = @(); Waiting = $false; IsOnline = $IsOnline; Problem = $null }
    $facts = @()
    foreach ($update in @($installed + $waiting + $offered)) {
        $id = $update.Identity.UpdateID
        if ($scan.ById.ContainsKey($id)) { continue }
        $scan.ById[$id] = $update
        $fact = Get-Fact $update $id
        if ($update.RebootRequired) { $fact.state = 'pendingReboot' }
        elseif ($update.IsInstalled) { $fact.state = 'installed' }
        elseif ($replaced.ContainsKey($id)) { $fact.state = 'superseded' }
        else { $fact.state = 'missing' }
        if ($fact.state -eq 'pendingReboot') { $scan.Waiting = $true }
        $scan.States[$id] = $fact.state
        if (Test-Present $scan $id) { $scan.Present[$fact.title] = $true }
        $facts += $fact
        if ($times.ContainsKey($id)) { $scan.InstalledAt += $times[$id] } else { $scan.InstalledAt += 0 }
    }
    $reboot = Get-Reboot
    # Windows Update's own word counts, also where it names no update that waits.
    if ($reboot.IsOfUpdates) { $scan.Waiting = $true }
    $scan.Facts = @{
        schema = 2
        manager = 'windows'
        os = (Get-System)
        windowsUpdates = $facts
        reboot = @{ required = $reboot.IsRequired; reasons = $reboot.Reasons }
    }
    return $scan
}

# By the id, since several updates, of drivers above all, have one title.
function Test-Present {
    param($Scan, $Id)
    return @('pendingReboot', 'installed') -contains $Scan.States[$Id]
}

function Get-System {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    return @{
        id = 'windows'
        name = (Get-Line $system.Caption)
        versionId = $system.Version
        arch = $env:PROCESSOR_ARCHITECTURE.ToLowerInvariant()
    }
}

function Get-Fact {
    param($Update, $Id)
    $fact = @{ title = (Get-Line $Update.Title); id = $Id; severity = "$($Update.MsrcSeverity)"; size = [int64]$Update.MaxDownloadSize }
    $numbers = @(Get-Items $Update.KBArticleIDs)
    if ($numbers.Count -gt 0) { $fact.kb = 'KB' + ($numbers[0] -replace '\D', '') }
    $fact.cves = @(Get-Items $Update.CveIDs)
    $fact.bulletins = @(Get-Items $Update.SecurityBulletinIDs)
    $changed = $Update.LastDeploymentChangeTime
    # In every calendar of the system the same days.
    if ($null -ne $changed) { $fact.updated = $changed.ToString('yyyy-MM-dd', [Globalization.CultureInfo]::InvariantCulture) }
    if ($null -ne $Update.InstallationBehavior) { $fact.reboot = $behaviours[$Update.InstallationBehavior.RebootBehavior] }
    foreach ($category in @(Get-Items $Update.Categories)) { Add-Category $fact $category }
    if ($fact.productFamily -and $fact.productFamily -ne 'Windows') { $fact.patchSet = 'APPLICATION' }
    return $fact
}

function Add-Category {
    param($Fact, $Category)
    $name = (Get-Line $Category.Name) -replace ' ', ''
    if ($Category.Type -eq 'UpdateClassification') {
        $Fact.classification = $name
        if ($classifications.ContainsKey($Category.CategoryID)) { $Fact.classification = $classifications[$Category.CategoryID] }
    }
    if ($Category.Type -eq 'ProductFamily') { $Fact.productFamily = $name }
    if ($Category.Type -ne 'Product') { return }
    if ($products.ContainsKey($Category.Name)) { $name = $products[$Category.Name] }
    # Of several products the one that is a server.
    if (-not $Fact.product -or $name -like 'WindowsServer*') { $Fact.product = $name }
    $parent = $Category.Parent
    if ($null -ne $parent -and $parent.Type -eq 'ProductFamily') { $Fact.productFamily = (Get-Line $parent.Name) -replace ' ', '' }
}

# When updates were installed, by id, in seconds since 1970.
function Get-InstallTimes {
    $times = @{}
    $searcher = $session.CreateUpdateSearcher()
    $count = $searcher.GetTotalHistoryCount()
    if ($count -eq 0) { return $times }
    # The newest comes first. 1 is an installation, 2 and 3 are successes.
    $history = $searcher.QueryHistory(0, $count)
    foreach ($entry in @(Get-Items $history)) {
        $id = $entry.UpdateIdentity.UpdateID
        if ($entry.Operation -ne 1 -or @(2, 3) -notcontains $entry.ResultCode -or $times.ContainsKey($id)) { continue }
        $times[$id] = Get-Seconds $entry.Date
    }
    return $times
}

# Whether Windows has to be restarted, and why.
function Get-Reboot {
    $reasons = @()
    $information = New-Object -ComObject Microsoft.Update.SystemInfo
    $isOfUpdates = $information.RebootRequired -or (Test-Path -LiteralPath $updateKey)
    if ($isOfUpdates) { $reasons += 'Windows Update waits for a restart' }
    $isOfServicing = Test-Path -LiteralPath $servicingKey
    if ($isOfServicing) { $reasons += 'Component Based Servicing waits for a restart' }
    $renames = Get-ItemProperty -LiteralPath $sessionKey -Name PendingFileRenameOperations -ErrorAction SilentlyContinue
    if ($null -ne $renames) { $reasons += 'files will be replaced at the next restart, which alone is no reason for one' }
    return @{ IsRequired = ($isOfUpdates -or $isOfServicing); IsOfUpdates = $isOfUpdates; Reasons = $reasons }
}

# Where the updates come from, as this machine is configured.
function Get-Source {
    $policy = Get-ItemProperty -LiteralPath $policyKey -ErrorAction SilentlyContinue
    $use = Get-ItemProperty -LiteralPath "$policyKey\AU" -Name UseWUServer -ErrorAction SilentlyContinue
    if ($null -ne $policy -and $null -ne $use -and $use.UseWUServer -eq 1) { return "WSUS at $($policy.WUServer)" }
    return 'Windows Update'
}
