#Requires -Modules ExchangeOnlineManagement

<#
.SYNOPSIS
Lets Backupchecks read and move the mails of one mailbox, and of no other.

.DESCRIPTION
Uses Role Based Access Control for Applications in Exchange Online: the role "Application Mail.ReadWrite" is assigned to
the app's service principal for a scope that holds the one mailbox. Nothing is consented in Microsoft Entra; a tenant-wide
consent to a Mail permission would add to this and make the scope worthless, so take back any that was given before.

Run it as often as you like: what is there already is kept, or set right where it differs. At the end it shows what
Exchange itself says about the mailbox and about another one. A change takes 30 minutes to 2 hours to reach Microsoft
Graph; after that, test again on Settings, Mail.

.PARAMETER AppId
The client id of the managed identity, or of the app registration (GRAPH_CLIENT_ID).

.PARAMETER ObjectId
The object id of its service principal: for a managed identity its principal id, for an app registration the object id
shown under Enterprise applications. Not the object id shown under App registrations.

.PARAMETER Mailbox
The primary address of the mailbox that receives the reports (GRAPH_MAILBOX).

.PARAMETER OtherMailbox
Any other mailbox of the tenant, to see that it stays out of reach.

.PARAMETER Name
The name of the service principal, the scope and the assignment in Exchange.

.PARAMETER ReadOnly
Assign "Application Mail.Read": mails can be read but not moved, so moving must be switched off in Backupchecks.

.EXAMPLE
Connect-ExchangeOnline
./grant-mailbox-access.ps1 -AppId 00000000-0000-0000-0000-000000000001 -ObjectId 00000000-0000-0000-0000-000000000002 `
    -Mailbox reports@msp.example -OtherMailbox office@msp.example
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [guid] $AppId,
    [Parameter(Mandatory)] [guid] $ObjectId,
    [Parameter(Mandatory)] [ValidatePattern("^[^@\s']+@[^@\s']+$")] [string] $Mailbox,
    [Parameter(Mandatory)] [ValidatePattern("^[^@\s']+@[^@\s']+$")] [string] $OtherMailbox,
    [ValidateLength(1, 64)] [string] $Name = 'backupchecks',
    [switch] $ReadOnly
)

$ErrorActionPreference = 'Stop'

$role = if ($ReadOnly) { 'Application Mail.Read' } else { 'Application Mail.ReadWrite' }
$filter = "PrimarySmtpAddress -eq '$Mailbox'"

function Test-Surroundings {
    if (-not (Get-ConnectionInformation | Where-Object State -EQ 'Connected')) {
        throw 'Not connected to Exchange Online: run Connect-ExchangeOnline first.'
    }
    if ($Mailbox -eq $OtherMailbox) {
        throw 'OtherMailbox must be another mailbox than Mailbox.'
    }
    foreach ($address in $Mailbox, $OtherMailbox) {
        $found = Get-EXOMailbox -Identity $address -ErrorAction SilentlyContinue
        if (-not $found) {
            throw "There is no mailbox $address in this tenant."
        }
        if ($found.PrimarySmtpAddress -ne $address) {
            throw "$address is not a primary address; use $($found.PrimarySmtpAddress)."
        }
    }
}

function Set-Principal {
    $found = Get-ServicePrincipal | Where-Object AppId -EQ $AppId
    if (-not $found) {
        if ($PSCmdlet.ShouldProcess($AppId, 'New-ServicePrincipal')) {
            New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName $Name | Out-Null
        }
        return "made the service principal $Name"
    }
    if ($found.ObjectId -ne $ObjectId) {
        throw "Exchange knows this app by the object id $($found.ObjectId), not $ObjectId. " +
            'Check the ids; if Exchange is wrong, run Remove-ServicePrincipal and this script again.'
    }
    return "kept the service principal $($found.DisplayName)"
}

function Set-Scope {
    $found = Get-ManagementScope -Identity $Name -ErrorAction SilentlyContinue
    if (-not $found) {
        if ($PSCmdlet.ShouldProcess($Name, 'New-ManagementScope')) {
            New-ManagementScope -Name $Name -RecipientRestrictionFilter $filter | Out-Null
        }
        return "made the scope $Name for $Mailbox"
    }
    if ($found.RecipientFilter -like "*'$Mailbox'*" -and $found.RecipientFilter -notlike '*-or*') {
        return "kept the scope $Name for $Mailbox"
    }
    if ($PSCmdlet.ShouldProcess($Name, "Set-ManagementScope to $Mailbox")) {
        Set-ManagementScope -Identity $Name -RecipientRestrictionFilter $filter
    }
    return "changed the scope $Name from '$($found.RecipientFilter)' to $Mailbox"
}

function Set-Assignment {
    $found = Get-ManagementRoleAssignment -Identity $Name -ErrorAction SilentlyContinue
    if ($found -and $found.Role -eq $role -and $found.CustomResourceScope -eq $Name) {
        return "kept the assignment of $role"
    }
    if ($found -and $PSCmdlet.ShouldProcess($Name, 'Remove-ManagementRoleAssignment')) {
        Remove-ManagementRoleAssignment -Identity $Name -Confirm:$false
    }
    if ($PSCmdlet.ShouldProcess($Name, "New-ManagementRoleAssignment of $role")) {
        New-ManagementRoleAssignment -Name $Name -App $AppId -Role $role -CustomResourceScope $Name | Out-Null
    }
    if ($found) {
        return "replaced the assignment of $($found.Role) by $role for the scope $Name"
    }
    return "assigned $role for the scope $Name"
}

function Test-Access([string] $Address) {
    $grants = Test-ServicePrincipalAuthorization -Identity $AppId -Resource $Address
    return [bool] ($grants | Where-Object { $_.InScope -and $_.GrantedPermissions -match 'Mail\.' })
}

Test-Surroundings
$lead = if ($WhatIfPreference) { '- without -WhatIf:' } else { '-' }
Write-Output "$lead $(Set-Principal)"
Write-Output "$lead $(Set-Scope)"
Write-Output "$lead $(Set-Assignment)"
if ($WhatIfPreference) {
    return
}

$reaches = Test-Access $Mailbox
$reachesOther = Test-Access $OtherMailbox
Write-Output "- Exchange says: $Mailbox in scope: $reaches; $OtherMailbox in scope: $reachesOther"
if (-not $reaches) {
    throw "The app does not reach $Mailbox. Check the output of Test-ServicePrincipalAuthorization."
}
if ($reachesOther) {
    throw "The app also reaches $OtherMailbox. Look for other role assignments of this app and remove them."
}
Write-Output 'Done. Microsoft Graph follows within 30 minutes to 2 hours.'
Write-Output 'A consent to Mail permissions in Microsoft Entra is not seen here: check that there is none, then test again'
Write-Output 'on Settings, Mail, with the address of the other mailbox.'
