# What the operation says to its server, below the address of its command (docs/facts.md).
# No answer, or one that says that there may be another later.
$passing = @(0, 429, 500, 502, 503, 504)

function New-Server {
    param($Url, $Part)
    # TLS 1.2: PowerShell up to 5.1 does not offer it by itself everywhere.
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $query = ''
    if ($Part) { $query = "?part=$Part" }
    return @{ Url = $Url; Query = $query; Proxy = (Get-Proxy $Url); Phase = ''; ToldAt = 0; RestsUntil = 0; Over = ''; EndsAt = $null; Watch = [Diagnostics.Stopwatch]::StartNew() }
}

# The proxy that the environment names, as agents have it; without one the system's own settings count.
function Get-Proxy {
    param($Url)
    $named = $env:PATCHWINDOW_PROXY
    if (-not $named -and "$($env:NO_PROXY)".Split(',') -notcontains ([Uri]$Url).Host) { $named = $env:HTTPS_PROXY }
    if (-not $named) { return $null }
    return New-Object Net.WebProxy -ArgumentList $named
}

# Status, what was told, and the problem if there is one; the status 0 means that there was no answer.
function Send-Request {
    param($Method, $Name, $Body, $TimeoutSeconds)
    $response = $null
    try {
        $request = [Net.WebRequest]::Create("$($server.Url)/$Name$($server.Query)")
        $request.Method = $Method
        $request.Timeout = $TimeoutSeconds * 1000
        $request.AllowAutoRedirect = $false
        if ($null -ne $server.Proxy) { $request.Proxy = $server.Proxy }
        if ($null -ne $Body) {
            $bytes = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $Body -Depth 8 -Compress))
            $request.ContentType = 'application/json'
            $stream = $request.GetRequestStream()
            $stream.Write($bytes, 0, $bytes.Length)
            $stream.Close()
        }
        $response = $request.GetResponse()
    } catch {
        # An answer that refuses comes as an exception, and PowerShell wraps that in another.
        $problem = $_.Exception
        while ($null -ne $problem.InnerException -and -not ($problem -is [Net.WebException])) { $problem = $problem.InnerException }
        if ($problem -is [Net.WebException]) { $response = $problem.Response }
        if ($null -eq $response) { return @{ Status = 0; Told = $null; Problem = $problem.Message } }
    }
    return Read-Response $response
}

function Read-Response {
    param($Response)
    $answer = @{ Status = [int]$Response.StatusCode; Told = $null; Problem = 'without a reason' }
    try {
        $stream = $Response.GetResponseStream()
        $reader = New-Object IO.StreamReader -ArgumentList $stream
        $text = $reader.ReadToEnd()
        $answer.Told = ConvertFrom-Json $text
        if ($answer.Told.error) { $answer.Problem = $answer.Told.error }
    } catch {
        $answer.Problem = "its answer cannot be read: $(Get-Problem $_)"
        if ($answer.Status -eq 200) { $answer.Status = 0 }
    } finally {
        $Response.Close()
    }
    return $answer
}

# What the server answers; while it cannot be reached or is overloaded it is asked again, with growing pauses.
function Get-Answer {
    param($Method, $Name, $Body, $PatienceSeconds)
    $pause = 1
    $waited = 0
    while ($true) {
        $answer = Send-Request $Method $Name $Body 60
        if ($answer.Status -eq 200) { return $answer.Told }
        $isPassing = $passing -contains $answer.Status
        # The command may change nothing more.
        if ($answer.Status -eq 410) { $server.Over = $answer.Problem }
        if (-not $isPassing -or ($waited + $pause) -gt $PatienceSeconds) {
            if ($answer.Status -eq 0) { throw "the server cannot be reached for the ${Name}: $($answer.Problem)" }
            throw "the server refused the ${Name}: $($answer.Problem) (HTTP $($answer.Status))"
        }
        Start-Sleep -Seconds $pause
        $waited += $pause
        $pause = [Math]::Min($pause * 2, 30)
    }
}

# Notes whether the command is over, and for how long it may begin anything, by a clock that never jumps.
function Set-End {
    param($Order)
    $server.Over = "$($Order.over)"
    if ($null -ne $Order.secondsLeft) { $server.EndsAt = $server.Watch.Elapsed.TotalSeconds + [double]$Order.secondsLeft }
}

# Why nothing more may be begun; empty while it may. A server that cannot be asked has said before how long there is.
function Get-Over {
    if ($server.Over) { return $server.Over }
    $answer = Send-Request 'GET' 'order' $null 60
    if ($answer.Status -eq 200) { Set-End $answer.Told }
    elseif ($passing -notcontains $answer.Status) { $server.Over = "$($answer.Problem) (HTTP $($answer.Status))" }
    if (-not $server.Over -and $null -ne $server.EndsAt -and $server.Watch.Elapsed.TotalSeconds -ge $server.EndsAt) {
        $server.Over = 'the time of the command has ended, and its server cannot be asked'
    }
    return $server.Over
}

# Tells how far the operation is: at each change of phase, else once a second at most, and never in earnest.
function Send-Progress {
    param($Phase, $Done, $Total, $What)
    $now = Get-Now
    if ($now -lt $server.RestsUntil -or ($Phase -eq $server.Phase -and $now -le $server.ToldAt)) { return }
    $server.Phase = $Phase
    $server.ToldAt = $now
    $answer = Send-Request 'POST' 'progress' @{ schema = $schema; phase = $Phase; done = $Done; total = $Total; what = $What } 5
    if ($answer.Status -ne 200) { $server.RestsUntil = $now + 60 }
}
