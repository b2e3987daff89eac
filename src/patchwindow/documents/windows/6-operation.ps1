# One patch operation: a scan, or an installation stage by stage, each saved before what follows it is done (docs/windows.md).
$patience = 900
$shutdownSeconds = 300

# What is there once something may have been installed: also where no update server answers, by what this machine knows.
function Get-PatientScan {
    for ($try = 1; $try -le 5; $try++) {
        try {
            return Get-Scan $true
        } catch {
            $problem = Get-Problem $_
        }
        if ($try -lt 5) { Start-Sleep -Seconds 15 }
    }
    $scan = Get-Scan $false
    $scan.Problem = Get-Line $problem
    return $scan
}

function Send-Report {
    param($Operation, $Scan, $StartedAt, $Failed, $WaitForServer)
    $asOf = Get-Now
    if (-not $Scan.IsOnline) { $asOf = $StartedAt }
    $report = @{
        schema = $schema
        operation = $Operation
        startedAt = $StartedAt
        endedAt = [Math]::Max((Get-Now), $StartedAt)
        bootId = $bootId
        lists = @{ refreshed = $Scan.IsOnline; asOf = $asOf; problem = $Scan.Problem }
        facts = $Scan.Facts
        installedAt = $Scan.InstalledAt
        failed = $Failed
        pendingReboot = @(Get-Pending $Scan)
    }
    return Get-Answer 'POST' 'report' $report $WaitForServer
}

function Get-VerdictLines {
    param($Verdict, $Scan)
    "$($Verdict.status): $($Verdict.nodeId)"
    "baseline: $($Verdict.baselineName) ($($Verdict.baselineId))"
    $counts = @()
    foreach ($property in $Verdict.counts.PSObject.Properties) { $counts += "$($property.Value) $($property.Name)" }
    "patches: $($counts -join ', ')"
    foreach ($patch in $Verdict.missing) { "  missing: $($patch.title)" }
    foreach ($reason in $Scan.Facts.reboot.reasons) { "reboot: $reason" }
    "source: $(Get-Source)"
    if ($null -ne $Scan.Problem) { "update server: not asked, $($Scan.Problem)" }
}

function Invoke-Scan {
    $startedAt = Get-Now
    Send-Progress 'Scanning' 0 0 ''
    $scan = Get-Scan $true
    $verdict = Send-Report 'Scan' $scan $startedAt @{} $patience
    foreach ($line in @(Get-VerdictLines $verdict $scan)) { Write-Line $line }
    # With hooks the scan is the first part, and says by its exit code whether others follow.
    if ($verdict.isOver -eq $true) { return 168 }
    return 0
}

function Add-Problem {
    param($Problem)
    if ($record.problem.Contains($Problem)) { return }
    if ($record.problem) { $record.problem += '; ' }
    $record.problem += $Problem
}

function Save-Record {
    param($Stage)
    $record.stage = $Stage
    $record.bootId = $bootId
    Save-Json $journal $record
}

# Saves what is done already. Where that fails, a full disk perhaps, the operation goes on: it is to be reported.
function Save-Done {
    param($Stage)
    try {
        Save-Record $Stage
    } catch {
        Add-Problem "$journal cannot be written: $(Get-Problem $_)"
    }
}

# The same once the machine may have been changed; before, the operation ends with it.
function Save-Begun {
    param($Stage)
    if ($record.tried.Count -eq 0 -and $record.reboots -eq 0) { Save-Record $Stage } else { Save-Done $Stage }
}

function Read-Record {
    $told = Read-Json $journal
    if ($null -eq $told) {
        return @{
            stage = 'New'; startedAt = (Get-Now); bootId = $bootId; cutOffs = 0; reboots = 0; mustReboot = $false
            wanted = @(); tried = @(); installed = @(); failed = @{}; titles = @{}; refused = @{}; problem = ''; lines = @(); exitCode = 0
        }
    }
    $found = ConvertTo-Table $told
    foreach ($name in @('failed', 'titles', 'refused')) { $found[$name] = ConvertTo-Table $found[$name] }
    return $found
}

# Where an operation goes on that a process before this one began, in this boot or an earlier one.
function Resume-Record {
    $hasRebooted = $record.bootId -ne $bootId
    if ($record.stage -eq 'Installing') { $record.cutOffs += 1 }
    if (@('New', 'Started', 'Installing') -contains $record.stage) { Save-Begun 'Started' }
    elseif ($hasRebooted -and @('Installed', 'Rebooting') -contains $record.stage) {
        # After a restart there may be more to install.
        $record.mustReboot = $false
        Save-Begun 'Started'
    }
    elseif ($record.stage -eq 'Rebooting') { Wait-Shutdown }
}

# The restart was asked for already, and comes any moment; it is not asked for twice.
function Wait-Shutdown {
    Start-Sleep -Seconds $shutdownSeconds
    Add-Problem "the machine was to restart and has not done so within $shutdownSeconds s; restart it, and scan it again"
    Save-Done 'Verifying'
}

# Looks, and asks what to install: the patches that the server wants and that were not tried yet.
function Get-Wanted {
    Send-Progress 'Scanning' 0 0 ''
    $state.Scan = Get-Scan $true
    foreach ($id in $record.wanted) {
        # An attempt that was cut off had come that far.
        if ((Test-Present $state.Scan $id) -and $record.installed -notcontains $id) { $record.installed += $id }
    }
    if ($server.Over) { throw $server.Over }
    $plan = Get-Answer 'POST' 'plan' @{ schema = $schema; facts = $state.Scan.Facts } $patience
    $record.refused = ConvertTo-Table $plan.failed
    $isGivenUp = $false
    foreach ($patch in $plan.wanted) {
        if ($record.tried -contains $patch.version) { continue }
        $record.titles[$patch.version] = $patch.title
        if ($record.cutOffs -ge $cutOffsMax) {
            $record.failed[$patch.version] = "its installation was cut off $($record.cutOffs) times"
            $isGivenUp = $true
            continue
        }
        $patch
    }
    if ($isGivenUp) { Add-Problem 'the installation was cut off again and again, so no more was tried' }
}

function Set-Result {
    param($Patch, $Problem)
    $record.tried += $Patch.version
    if ($Problem) { $record.failed[$Patch.version] = Get-Line $Problem } else { $record.installed += $Patch.version }
    Save-Done 'Installing'
}

# Why an update cannot be installed that Windows Update is asked for; empty where it is downloaded.
function Get-Ready {
    param($Patch)
    $update = $state.Scan.ById[$Patch.version]
    if ($null -eq $update) { return 'Windows Update does not offer it any more' }
    $obstacle = Get-Obstacle $update
    if ($obstacle) { return $obstacle }
    return Save-Update $update
}

function Install-Wanted {
    param($Wanted)
    $record.wanted = @($Wanted | ForEach-Object { $_.version })
    Save-Begun 'Installing'
    $ready = @()
    for ($i = 0; $i -lt $Wanted.Count; $i++) {
        if (Get-Over) { break }
        Send-Progress 'Downloading' $i $Wanted.Count $Wanted[$i].title
        $problem = Get-Ready $Wanted[$i]
        if ($problem) { Set-Result $Wanted[$i] $problem } else { $ready += $Wanted[$i] }
    }
    $count = $record.installed.Count
    for ($i = 0; $i -lt $ready.Count; $i++) {
        # One that has begun runs to its end; of the others none is begun any more.
        if (Get-Over) { break }
        Send-Progress 'Installing' $i $ready.Count $ready[$i].title
        # Before it is installed, so that a crash in between does not leave it out; what is not there does not wait.
        try {
            Add-Pending $ready[$i].title
        } catch {
            Add-Problem "nothing more was installed, since what waits for a restart cannot be noted: $(Get-Problem $_)"
            break
        }
        $result = Install-Update $state.Scan.ById[$ready[$i].version]
        if ($result.IsDeferred) {
            Set-Deferred @($ready[$i..($ready.Count - 1)])
            break
        }
        Set-Result $ready[$i] $result.Problem
    }
    $state.Scan = $null
    if ($server.Over) {
        Stop-Installation
        return
    }
    # What was installed may have made way for more.
    if ($record.installed.Count -gt $count -and -not $record.mustReboot) { Save-Done 'Started' } else { Save-Done 'Installed' }
}

# The command is over: nothing more is installed, and what was is reported. That is a failure unless all was done that was planned.
function Stop-Installation {
    $left = @($record.wanted | Where-Object { $record.installed -notcontains $_ -and -not $record.failed.ContainsKey($_) })
    if ($record.reboots -eq 0 -or $left.Count -gt 0) { Add-Problem "cancelled: nothing more was installed: $($server.Over)" }
    $record.mustReboot = $false
    Save-Done 'Installed'
}

# Windows installs no more before it has been restarted.
function Set-Deferred {
    param($Patches)
    if ($order.rebootOption -eq 'RebootIfNeeded' -and $record.reboots -lt $rebootsMax) {
        $record.mustReboot = $true
        return
    }
    foreach ($patch in $Patches) { Set-Result $patch 'Windows has to be restarted before it can be installed' }
}

function Update-Machine {
    try {
        $wanted = @(Get-Wanted)
    } catch {
        if ($server.Over) {
            Stop-Installation
            return
        }
        # What was installed before is to be reported.
        if ($record.tried.Count -eq 0 -and $record.reboots -eq 0) { throw }
        Add-Problem "what else there is to install is not known: $(Get-Problem $_)"
        Save-Done 'Installed'
        return
    }
    if ($wanted.Count -eq 0) { Save-Done 'Installed' } else { Install-Wanted $wanted }
}

# Whether a restart is asked for, which is saved before.
function Request-Reboot {
    if ($null -eq $state.Scan) { $state.Scan = Get-PatientScan }
    $isDue = $record.mustReboot -or $state.Scan.Waiting -or @(Get-Pending $state.Scan).Count -gt 0
    if ($order.rebootOption -eq 'RebootIfNeeded' -and $isDue -and $record.reboots -ge $rebootsMax) {
        Add-Problem "Windows has to be restarted after $rebootsMax restarts, which are the most; restart it, and patch it again"
    } elseif ($order.rebootOption -eq 'RebootIfNeeded' -and $isDue -and (Get-Over)) {
        Add-Problem "Windows has to be restarted, which was not asked for: $($server.Over); restart it, and scan it again"
    } elseif ($order.rebootOption -eq 'RebootIfNeeded' -and $isDue) {
        Send-Progress 'Rebooting' 0 0 ''
        $record.reboots += 1
        try {
            Save-Record 'Rebooting'
            return $true
        } catch {
            Add-Problem "Windows has to be restarted, which was not asked for, since $journal cannot be written: $(Get-Problem $_)"
        }
    }
    Save-Done 'Verifying'
    return $false
}

function Complete-Installation {
    Send-Progress 'Verifying' 0 0 ''
    if ($null -eq $state.Scan) { $state.Scan = Get-PatientScan }
    $scan = $state.Scan
    foreach ($id in $record.installed) {
        if ($scan.States[$id] -eq 'missing') { $record.failed[$id] = 'it was installed, and Windows offers it again: it has been undone' }
    }
    foreach ($id in @($record.failed.Keys)) {
        if (Test-Present $scan $id) { $record.failed.Remove($id) }
    }
    foreach ($title in @($record.refused.Keys)) {
        if ($scan.Present.ContainsKey($title)) { $record.refused.Remove($title) }
    }
    $failed = @{}
    foreach ($title in $record.refused.Keys) { $failed[$title] = $record.refused[$title] }
    foreach ($id in $record.failed.Keys) { $failed[$record.titles[$id]] = $record.failed[$id] }
    $verdict = Send-Report 'Install' $scan $record.startedAt $failed $patience
    # What the baseline itself keeps out is no failure of the step.
    if ($record.problem -or $record.failed.Count -gt 0) { $record.exitCode = 1 }
    $record.lines = @(Get-VerdictLines $verdict $scan)
    if ($record.problem) { $record.lines += "failed: $($record.problem)" }
    Save-Done 'Reported'
}

function Write-Done {
    Write-List 'installed' @($record.installed | Where-Object { -not $record.failed.ContainsKey($_) } | ForEach-Object { $record.titles[$_] })
    $failed = @($record.failed.Keys | ForEach-Object { "$($record.titles[$_]): $($record.failed[$_])" })
    $refused = @($record.refused.Keys | ForEach-Object { "${_}: $($record.refused[$_])" })
    Write-List 'could not be installed' @($failed + $refused | Sort-Object)
}

function Invoke-Installation {
    $journal = Join-Path $folder "operations\$($order.commandId).$($order.nodeId)$part.json"
    $record = Read-Record
    $state = @{ Scan = $null }
    Resume-Record
    while ($record.stage -ne 'Reported') {
        if ($record.stage -eq 'Started') { Update-Machine }
        elseif ($record.stage -eq 'Verifying') { Complete-Installation }
        elseif (Request-Reboot) {
            Write-Done
            Write-Line "restarting: restart $($record.reboots) of at most $rebootsMax"
            return 3010
        }
    }
    Write-Done
    foreach ($line in $record.lines) { Write-Line $line }
    return $record.exitCode
}

try {
    $folder = Get-Folder
    $part = ''
    if ($env:PATCHWINDOW_PART) { $part = ".$($env:PATCHWINDOW_PART)" }
    $server = New-Server $env:PATCHWINDOW_URL $env:PATCHWINDOW_PART
    Remove-OldRecords
    $orderSeconds = 0
    if (Test-UnderWay) { $orderSeconds = $patience }
    $order = Get-Answer 'GET' 'order' $null $orderSeconds
    if ($order.schema -ne $schema) { throw "the order has schema $($order.schema); this patch operation reads schema $schema" }
    if (@('Scan', 'Install', 'Nothing') -notcontains $order.operation) { throw "the order is to $($order.operation); this patch operation can Scan and Install" }
    Set-End $order
    $code = 0
    if ($order.operation -eq 'Nothing') {
        Write-Line 'nothing to do: the command says NoReboot'
    } else {
        $lock = Lock-Machine
        $bootId = Get-BootId
        $session = New-Session
        if ($order.operation -eq 'Scan') { $code = Invoke-Scan } else { $code = Invoke-Installation }
        $lock.Close()
    }
} catch {
    [Console]::Error.WriteLine("patchwindow: $(Get-Problem $_)")
    exit 1
}
exit $code
