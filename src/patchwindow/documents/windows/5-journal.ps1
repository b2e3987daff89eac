# What must survive a crash, in files of JSON: how far an installation has come, and what waits for a reboot.
function Save-Json {
    param($Path, $Value)
    $bytes = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $Value -Depth 8 -Compress))
    $file = [IO.File]::Open("$Path.new", 'Create', 'Write', 'None')
    try {
        $file.Write($bytes, 0, $bytes.Length)
        # To the disk, not to its cache.
        $file.Flush($true)
    } finally {
        $file.Close()
    }
    # PowerShell would make an empty text of $null, which is no name of a backup.
    if ([IO.File]::Exists($Path)) { [IO.File]::Replace("$Path.new", $Path, [NullString]::Value) } else { [IO.File]::Move("$Path.new", $Path) }
}

# What the file holds; of one that was cut off while it was replaced, what was to take its place. $null where there is none.
function Read-Json {
    param($Path)
    if ([IO.File]::Exists($Path)) {
        try {
            return ConvertFrom-Json ([IO.File]::ReadAllText($Path))
        } catch {
            throw "$Path cannot be read: $(Get-Problem $_); remove it"
        }
    }
    if (-not [IO.File]::Exists("$Path.new")) { return $null }
    try {
        return ConvertFrom-Json ([IO.File]::ReadAllText("$Path.new"))
    } catch {
        # Half a file was never the record of anything.
        return $null
    }
}

function ConvertTo-Table {
    param($Told)
    $table = @{}
    if ($null -eq $Told) { return $table }
    foreach ($property in $Told.PSObject.Properties) { $table[$property.Name] = $property.Value }
    return $table
}

# Only the system and administrators may write there: the agent runs as the system, and this is in its profile.
function Get-Folder {
    $folder = Join-Path $env:LOCALAPPDATA 'patchwindow'
    [void][IO.Directory]::CreateDirectory((Join-Path $folder 'operations'))
    return $folder
}

# A key that is gone when Windows has restarted: what it holds names this boot, whatever the clock does.
function Get-BootId {
    $check = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree
    $key = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey('SOFTWARE\patchwindow-boot', $check, [Microsoft.Win32.RegistryOptions]::Volatile)
    try {
        $id = $key.GetValue('Id')
        if (-not $id) {
            $id = [Guid]::NewGuid().ToString()
            $key.SetValue('Id', $id)
        }
        return $id
    } finally {
        $key.Close()
    }
}

# One patch operation at a time: the file is held until this process ends.
function Lock-Machine {
    $path = Join-Path $folder 'patch.lock'
    for ($waited = 0; $waited -lt 600; $waited += 5) {
        try {
            return [IO.File]::Open($path, 'OpenOrCreate', 'ReadWrite', 'None')
        } catch {
            if (-not ($_.Exception.GetBaseException() -is [IO.IOException])) { throw }
        }
        Start-Sleep -Seconds 5
    }
    throw "another patch operation has held $path for 600 s; try again when it has ended"
}

function Test-UnderWay {
    foreach ($file in @(Get-ChildItem -LiteralPath (Join-Path $folder 'operations') -Filter '*.json')) {
        $told = Read-Json $file.FullName
        if ($told.stage -ne 'Reported') { return $true }
    }
    return $false
}

# A command that is run again after so long has ended for its server.
function Remove-OldRecords {
    $before = [DateTime]::UtcNow.AddDays(-7)
    foreach ($file in @(Get-ChildItem -LiteralPath (Join-Path $folder 'operations'))) {
        if ($file.LastWriteTimeUtc -lt $before) { Remove-Item -LiteralPath $file.FullName }
    }
}

# Notes, before it is installed, that an update is installed in this boot; what waited in an earlier one is forgotten.
function Add-Pending {
    param($Title)
    $path = Join-Path $folder 'pending-reboot.json'
    $kept = @{}
    $known = ConvertTo-Table (Read-Json $path)
    foreach ($each in @($known.Keys)) {
        if ($known[$each] -eq $bootId) { $kept[$each] = $bootId }
    }
    $kept[$Title] = $bootId
    Save-Json $path $kept
}

# The titles that were installed in this boot, and are there.
function Get-Pending {
    param($Scan)
    $known = ConvertTo-Table (Read-Json (Join-Path $folder 'pending-reboot.json'))
    foreach ($title in @($known.Keys | Sort-Object)) {
        if ($known[$title] -eq $bootId -and $Scan.Present.ContainsKey($title)) { $title }
    }
}
