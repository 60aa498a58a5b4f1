<#
.SYNOPSIS
Starts desktop-rucio in Docker on Windows; run again it changes nothing that runs as it should.
.DESCRIPTION
Writes compose's env file (no secret) and a password file, and calls docker compose. Never takes a password as an argument.
.EXAMPLE
.\start.ps1 -CertPath C:\Users\jane\.globus -DataDirectory D:\rucio -RUCIOAccount jane
#>
param(
    [Parameter(Mandatory)] [string] $CertPath,
    [Parameter(Mandatory)] [string] $DataDirectory,
    [Parameter(Mandatory)] [string] $RUCIOAccount,
    [string] $GRIDPasswordFile = '',
    [string] $containerVersion = 'latest',
    [ValidateRange(1, 65535)] [int] $WebPort = 8000,
    [string] $VOMS = '',
    [string] $Experiment = 'atlas',
    [switch] $StartBash,
    [switch] $CertificateUpdate,
    [switch] $Stop
)
$ErrorActionPreference = 'Stop'
$name = 'desktop-rucio'
$config = Join-Path $env:LOCALAPPDATA 'desktop-rucio'

foreach ($dir in @($CertPath, $DataDirectory)) {
    if (-not (Test-Path -LiteralPath $dir -PathType Container)) { throw "$dir is no directory; make it first" }
}
$certs = (Resolve-Path -LiteralPath $CertPath).ProviderPath
$data = (Resolve-Path -LiteralPath $DataDirectory).ProviderPath
New-Item -ItemType Directory -Force -Path $config | Out-Null

$secret = Join-Path $config 'password'
if ($GRIDPasswordFile -ne '') {
    $secret = (Resolve-Path -LiteralPath $GRIDPasswordFile).ProviderPath
} elseif (-not (Test-Path -LiteralPath $secret)) {
    $given = Read-Host -AsSecureString 'Password of the private key (ENTER for none)'
    if ($given.Length -gt 0) {
        $plain = [Runtime.InteropServices.Marshal]::SecureStringToBSTR($given)
        try {
            $text = [Runtime.InteropServices.Marshal]::PtrToStringBSTR($plain)
            [IO.File]::WriteAllText($secret, $text + "`n", (New-Object Text.UTF8Encoding $false))
        } finally {
            [Runtime.InteropServices.Marshal]::ZeroFreeBSTR($plain)
        }
    } else {
        $secret = Join-Path $PSScriptRoot 'no-password'
    }
}

# Forward slashes are what Docker takes everywhere; a value in single quotes stands for itself.
function Get-Line([string] $Key, [string] $Value) {
    if ($Value.Contains("'")) { throw "$Key may hold no quote: $Value" }
    "$Key='$Value'"
}
$dataPath = $data.Replace('\', '/')
$prefix = $env:CACHE_PREFIX
if (-not $prefix) { $prefix = "file:///$dataPath" }
$lines = @(
    (Get-Line 'DATA' $dataPath),
    (Get-Line 'CERTS' $certs.Replace('\', '/')),
    (Get-Line 'RUCIO_ACCOUNT' $RUCIOAccount),
    (Get-Line 'PORT' "$WebPort"),
    (Get-Line 'VERSION' $containerVersion),
    (Get-Line 'EXPERIMENT' $Experiment),
    (Get-Line 'GRID_VOMS' $VOMS),
    (Get-Line 'GRID_PASSWORD_FILE' $secret.Replace('\', '/')),
    (Get-Line 'CACHE_PREFIX' $prefix)
)
$envFile = Join-Path $config 'env'
[IO.File]::WriteAllText($envFile, ($lines -join "`n") + "`n", (New-Object Text.UTF8Encoding $false))

$compose = @('compose', '--env-file', $envFile, '-f', (Join-Path $PSScriptRoot 'compose.yaml'))
if ($Stop) {
    & docker @compose stop
    exit $LASTEXITCODE
}
& docker @compose up -d --wait
if ($LASTEXITCODE -ne 0) {
    & docker logs --tail 5 $name
    throw 'it does not answer: what it said last stands above'
}
Write-Output "desktop-rucio answers at http://localhost:$WebPort"
if ($CertificateUpdate) { & docker exec $name update-certificates }
if ($StartBash) { & docker exec -it $name /bin/bash }
