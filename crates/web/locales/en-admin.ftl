# Texts of the administration pages. Keys are the same in all languages.

nav-overview = Home
nav-group-people = People and groups
nav-group-organisation = Organisation
nav-group-connections = Connections
nav-group-access = Access
nav-group-operations = Operations
nav-people = People
nav-scopes = Locations and groups
nav-templates = Profile templates
nav-microphone = Microphone Sync
nav-workgroups = Workgroups
nav-tenants = Teams tenants
nav-telephony = Phone systems
nav-accounts = Accounts
nav-keys = API keys
nav-audit = Audit log
nav-backup = Backup

# Overview
health = Health
health-ok = All systems operational
health-problems =
    { $count ->
        [one] { $count } problem
       *[other] { $count } problems
    }
health-none = No connections yet.
health-part = Component
health-state = State
health-what = Problem
health-remedy = Remedy
part-ok = OK
part-problem = Problem
connected = Connected
not-connected = Problem: { $name }
overview-streams = Open boards and API clients
overview-agents = Connected desktop agents
overview-writes = Pending writes to Teams
overview-statuses = People by status
overview-unmatched = People to synchronise without a Teams account
overview-all-matched = All people to synchronise have a Teams account.
latency-pbx = PBX event to Teams request
latency-teams = Teams response to board
latency-write-wait = Writes to Teams: time in the queue
latency-budget = Reads from Teams: wait for the request limit
latency-is = { $name }: { $value }
latency-percentiles = p50 { $count }, p99 { $value }
latency-none = { $name }: no data yet
latency-bound = Up to
latency-count = Count

# People
people-search = Name, mail address or extension
people-none = No matching people.
person-add = Add a person
accounts-search = Teams accounts
accounts-search-about = Accounts of new people are found within 10 minutes. Search now if you have just added one in Microsoft 365.
accounts-search-now = Check for new accounts now
accounts-search-running = The search is still running. Search again for the remaining results.
accounts-found = Accounts found
accounts-found-none = No new accounts.
accounts-without = People without a Teams account: { $count }
person-edit = Name, addresses and extensions
person-mail = Mail address
person-upn = Microsoft sign-in name (UPN)
person-upn-help = Usually looks like a mail address. The Teams account is found by this name or the mail address.
person-lines = Extensions
person-lines-help = Separate several with commas.
person-identity-help = Only system administrators can change this: it assigns sign-ins, Teams accounts and phones to the person.
person-place = Location and group
person-linked = linked
person-unlinked = not linked
person-object-id = Account
person-link = Connect another account
person-link-help = The object ID or sign-in name, shown in Entra under Users. Use it if the account has neither the mail address nor the sign-in name.
person-sharing = Access levels of this person
person-account-hidden = Only system administrators can see the Teams account.
person-delete = Delete person
person-delete-sure = Delete { $name } and all their data? Offhook first removes the presence it set in Teams.
tenant = Tenant
teams-disconnect-sure = Disconnect this account? Teams synchronisation stops for it.
import-heading = Import people from a table
import-file = CSV file
import-file-help = CSV or text from Excel, with commas, semicolons or tabs. Encoding and separator are detected.
import-csv = Or paste the table
import-csv-help = Paste cells copied from Excel. Choose a file or paste a table, not both.
import-both = You chose a file and pasted a table. Use one of them only.
import-neither = Choose a file or paste a table.
import-too-large = The file has more than { $count } bytes. Split the table, or run offhook import on the server.
import-comments = { $count ->
    [one] One line that begins with # was skipped as a comment.
   *[other] { $count } lines that begin with # were skipped as comments.
  }
import-dry-run = Preview changes
import-dry-run-about = Nothing has been changed yet.
import-now = Import
import-encoding = The file was read as { $value }.
separator-comma = Commas separate the columns.
separator-semicolon = Semicolons separate the columns.
separator-tab = Tabs separate the columns.
separator-other = { $value } separates the columns.
import-columns = Columns of the table
column-title = Column
column-use = Used as
column-name = name
column-mail = mail address
column-upn = sign-in name (UPN)
column-extension = extension
column-objectid = object ID of the Teams account
column-location = location
column-ignored = ignored
import-missing = Missing columns: { $value }. These values stay unchanged.
import-added = { $count } new
import-changed = { $count } changed
import-unchanged = { $count } unchanged
import-conflicts = { $count ->
    [one] One row conflicts with existing people. Correct it to import.
   *[other] { $count } rows conflict with existing people. Correct them to import.
  }
changes-caption = Changes
changes-none = No changes: everyone is up to date.
change-what = Change
change-difference = Difference
change-reason = Reason
change-added = new
change-updated = changed
change-conflict = conflict
change-line = Line
change-gone = removed
change-unmatched = no account
change-ambiguous = several matches
change-refused = rejected

# Scopes
scopes-about = Locations inherit settings from the organisation, and configuration groups from their location. Each can override the settings of a function.
scope-add = Add a location or group
scope-new-location = New location
scope-new-group = New group in { $name }
scope-kind = Kind
kind-organisation = organisation
kind-location = location
kind-group = configuration group
scope-individual = Override settings here
scope-edit = Name
scope-tenant = Teams tenant
scope-tenant-help = The tenant’s name in the configuration; leave empty for the main tenant.
scope-delete = Delete
scope-delete-sure = Delete { $name } and its settings? Remove its people and groups first.
scope-functions = Functions
scope-function = Function
scope-decided-by = Settings from
scope-page = { $name }: { $scope }
page-default = inherited
page-individual = overridden
page-default-about = These settings are inherited from { $scope }. To change them here only, override them. To change them for everyone who inherits them, go to { $scope }.
page-affects =
    { $count ->
        [one] Overridden: { $count } person has these settings.
       *[other] Overridden: { $count } people have these settings.
    }
page-to-individual = Override settings here
page-to-individual-now = Override and edit
page-to-default = Use inherited settings
page-to-default-now = Use inherited settings
page-values = Settings
copy-label = Start with
copy-product = product defaults
copy-from = a copy of { $scope }
user-may-change = Users may change “{ $name }”
preview = Preview changes
preview-title = Preview of changes
preview-about =
    { $count ->
        [0] No people are affected. Nothing is saved yet.
        [one] { $count } person is affected. Nothing is saved yet.
       *[other] { $count } people are affected. Nothing is saved yet.
    }
preview-caption = Affected people: { $count }
preview-none = No people affected.
preview-back = Back without saving
preview-locks = Users can no longer change “{ $name }” ({ $count } have these settings).
preview-unlocks = Users can change “{ $name }” ({ $count } have these settings).

# Templates
templates-about = Templates are profiles for everyone in the organisation, a location or a group. Scopes can have templates of the same name: the nearest active one applies. Where a setting names only a status, the first active template with that status applies.
templates-none = No templates yet.
template-add = Create a template
template-edit = Edit template
template-active = Active
template-scope = Scope
template-offers = Available to
template-everyone = everyone in the scope
template-for-everyone = Available to everyone in the scope
template-for-everyone-help = Clear this to offer the template only to the people below.
template-people = Also assigned to
template-teams = Template for Teams calls
template-teams-now = Create “MS Teams”
template-teams-here = Create “MS Teams” here
template-teams-call = Used by Teams calls in { $scope }.
template-teams-call-people =
    { $count ->
        [one] Used by Teams calls of { $count } person it is assigned to.
       *[other] Used by Teams calls of { $count } people it is assigned to.
    }
template-teams-do_not_disturb = Used by Do not disturb and presenting in Teams in { $scope }.
template-teams-do_not_disturb-people =
    { $count ->
        [one] Used by Do not disturb and presenting in Teams of { $count } person it is assigned to.
       *[other] Used by Do not disturb and presenting in Teams of { $count } people it is assigned to.
    }
template-no-settings = No settings use this template: you can delete it or switch it off. Teams then uses the next matching profile.
template-lost-uses = You can’t make this change yet: these settings would have no profile of that name. Choose another profile there first: { $name }.
teams-call-takes = Teams calls use the profile “{ $name }” of { $scope }.
teams-call-takes-none = Teams calls use no profile here: neither “MS Teams” nor “Appointment” is an active template.
teams-do_not_disturb-takes = Do not disturb and presenting in Teams use the profile “{ $name }” of { $scope }.
teams-do_not_disturb-takes-none = Do not disturb and presenting in Teams use no profile here: calls ring.
teams-own-first = A person’s assigned templates, own profiles and own order come first.
template-delete = Delete template
template-uses = Used by
template-use = Setting
template-use-elsewhere = a person of another location
template-no-uses = Not used: you can delete this template or switch it off.

# Workgroups
workgroups-about = Members of a workgroup have at least this access level to each other.
workgroups-none = No workgroups yet.
workgroup-add = Create a workgroup
workgroup-level = Access level between members
workgroup-members = Members

# Tenants
tenants-about = Connections to Microsoft Teams tenants.
tenants-none = No tenants connected.
tenant-linked = with a Teams account
tenant-connect = Connect a tenant
tenant-connect-about = In five steps, each of which is checked: app registration in Entra, certificate or secret, permissions, people, synchronisation. For another tenant, repeat the steps with a section [[tenants]] instead of [teams].
tenant-connect-now = Connect a tenant
connect-step = Step { $count } of 5: { $name }
connect-1-title = register the application
connect-1-about = At entra.microsoft.com, under App registrations, create a registration named Offhook for accounts in this directory only, without a redirect URI. Enter the two IDs from its overview here.
connect-2-title = certificate or secret
connect-2-about = Create a certificate on the machine that runs Offhook, and upload offhook.crt to the application under Certificates & secrets. Add the section below to the configuration file. To use a secret instead, replace the two certificate lines with client_secret_file = "secret.txt".
connect-3-title = permissions
connect-3-about = Under API permissions of the application, add the Microsoft Graph application permissions Presence.ReadWrite.All and User.ReadBasic.All, and grant admin consent.
connect-4-title = people
connect-4-about = Import people from a table (name, mail, UPN, extension) on the People page or the command line, or from Entra (docs/connect-teams.md). Offhook finds their Teams accounts by sign-in name and mail address.
connect-5-title = restart and switch on
connect-5-about = Restart Offhook to apply the configuration file. Synchronisation is off until you switch it on for the organisation, a location, a group or a person.
connect-tenant = Directory (tenant) ID
connect-client = Application (client) ID
connect-id-help = For example 11111111-2222-4333-8444-555555555555.
connect-command = Command
connect-file = Configuration file
connect-consent = Admin consent
connect-consent-now = Grant admin consent at Microsoft
connect-switch = Synchronisation
connect-examine = Check this step
connect-complete = This step is complete
connect-incomplete = This step is not complete. See below, then check again.
connect-nothing = Not checked yet: complete the previous steps first.
connect-ways = Steps
connect-before = Back
connect-next = Next step
directory-of = People from Entra, tenant { $tenant }
directory-dry-run = Preview changes
directory-now = Synchronise now
directory-accounts =
    { $count ->
        [one] { $count } account was read.
       *[other] { $count } accounts were read.
    }

# Phone systems
telephony-about = Connections to phone systems and current line states. The tables refresh every 5 seconds.
telephony-none = No phone systems connected. See below how to connect one.
lines-search = Extension or name
lines-caption = { $count } lines, active first
lines-none = No lines.
line = Extension
line-state = Line state
line-in-use = in use
line-idle = idle
line-ringing = ringing
line-held = on hold
line-unknown = unknown
line-stale = { $status }, not confirmed recently

# Accounts
accounts-about = People sign in with an account. Presence and synchronisation work without one.
accounts-none = No accounts yet.
account-add = Add an account
account-role = Role
account-whose = Person
account-person = Person
account-person-help = The person who signs in with this account; leave empty for an administrator only.
account-location = Location
account-location-help = The location that a location administrator manages.
account-password-of = New password for { $name }
account-password-help = At least { $count } characters. Sessions with the old password are signed out.
role-person = User
role-location_admin = Location administrator
role-system_admin = System administrator

# Keys
keys-about = A program uses the API with a key. The key is shown once, when you create it.
keys-none = No API keys yet.
key-add = Create a key
key-name-help = The program that uses the key.
key-scopes = Permissions
key-scope-route = query call routing (for a PBX)
key-scope-read = read all data
key-scope-write = change data that people may change
key-scope-admin = full access
key-made = API key
key-made-about = Copy the key now. It is not shown again.
key-delete-sure = Delete { $name }? Programs that use it lose access immediately.

# Audit log
audit-about = All changes and sign-ins with the author, and changes with the values before and after. Changes that people or their assistants make to their own data are listed without values.
audit-not-recorded = Not recorded
audit-none = No matching entries.
audit-at = Time
audit-who = User
audit-what = Action
audit-target = Target
audit-before = Before
audit-after = After
audit-export = Export as CSV (latest 50,000)

# Backup
backup-about = A backup is a copy of the database in { $folder } on the machine that runs Offhook, made without downtime. Copy it to another machine to survive a disk failure. The key for secrets (secrets.key) is not included.
backup-now = Create a backup
backup-none = No backups yet.
backup-size = Size
backup-restore = Restore
backup-restore-of = Restore { $name }
backup-restore-sure = Restore { $name }? All later changes are undone, including accounts and passwords. The current database is kept beside it.
backup-restore-about = Restoring replaces the current data with the backup. The server restarts within seconds, and the current database is kept. To restore a copy from elsewhere, run “offhook restore FILE --force” on the machine; the server may keep running.
backup-restoring = Restoring the backup
backup-restoring-about = { $name } is intact. The server restarts with it within seconds. Sign in with an account from that time, or run “offhook link” on the machine.

# Microphone Sync
microphone-about = While one of these programs uses the microphone, team colleagues see “Busy” and its alias. Programs that are not listed or not active are never reported.
microphone-for = Scope
microphone-on = on
microphone-off = off: no programs are shown
programs = Programs
programs-none = No programs listed: none are shown.
programs-own = This list overrides the inherited one.
programs-default = This list is inherited from { $scope }. Your first change here overrides it.
programs-as-above = use the inherited list
programs-again = Reset the list
programs-again-now = Reset
program-add = Add a program
program-alias = Alias shown to colleagues
microphone-off-about = Microphone Sync is off here: no programs are shown, active or not.
microphone-enable = Switch on
program-alias-help = Shown to colleagues. Leave empty to show the process name.
program-process = Process
program-process-help = The program’s file name without .exe, for example Zoom. Not case-sensitive.
program-also = Other names
program-also-help = Separate several with commas: process names on other systems, bundle (macOS) or package (Windows).
program-softphone = Softphone of the PBX: never show it
program-is-softphone = Softphone
program-ignore = Ignore after
program-ignore-help = In hours; empty: never. For programs that keep the microphone without a meeting, such as Webex (ultrasound detection of rooms).
program-active = Active: show it
program-activate = Activate
program-deactivate = Deactivate
program-activate-of = Activate { $name }
program-deactivate-of = Deactivate { $name }
done-program-added = Program added. Activate it to show it.

# Doctor
doctor = Check the installation
doctor-now = Check now
doctor-about = This is the current configuration file. You can check changes immediately; they take effect after a restart.
doctor-findings = Findings, most urgent first
doctor-what = Finding
doctor-means = Meaning
doctor-back = Back
verdict-fine = OK
verdict-warning = Warning
verdict-failed = Failed
verdict-skipped = Not checked
telephony-connect = Connect a phone system
telephony-steps = Create an account for Offhook on the PBX that may subscribe to the lines, and enter its server, domain and account in a section [[pbx]] of the configuration file (docs/connect-pbx.md has a page for each PBX). Then check until no finding has failed, and restart Offhook.

# Members of a location or group
scope-members =
    { $count ->
        [one] { $count } person
       *[other] { $count } people
    }
scope-empty = No people yet.
scope-add-person = Add a person to this scope
scope-add-person-now = Add
scope-remove = Remove
scope-remove-of = Remove { $name } from { $scope }
scope-remove-sure = Remove? The settings of { $scope } then apply.
scope-move = Move { $name }?
scope-move-now = Move
scope-move-about = From { $scope } to { $target }. The settings of { $target } then apply. A person belongs to one location and at most one of its groups.

# Overview: Teams
overview-polling-interval = Polling interval ({ $tenant })
overview-budget = Requests in the last 30 seconds ({ $tenant })
overview-budget-spent = { $count } ({ $value } of Microsoft’s limit)
overview-backlog = Writes waiting for the request limit ({ $tenant })
overview-backlog-age = { $count }, oldest { $value }
overview-pauses = Writes paused (another program overwrote Offhook’s presence)
overview-silent = People with missing updates
overview-none-silent = All people have current updates.

# Jobs
nav-work = Jobs
work-about = Imports, directory synchronisations and backups run in the background. The list is cleared when the server restarts.
work-goes-on = You can leave this page; the job keeps running. If you cancel it, nothing is changed.
work-cancel = Cancel
work-what = Job
work-progress = Progress
work-who = Started by
work-begun = Started
work-none = No jobs.
work-on = Continue at
work-import = Import of people
work-directory = Directory synchronisation
work-backup = Backup
work-state-running = running
work-state-done = done
work-state-failed = failed
work-state-cancelled = cancelled
done-step = Step complete. Continue with the next one.
done-begun = Started.
done-cancelled = Cancelling.

# Overview: the organisation's time zone
zone-question = Organisation’s time zone
zone-question-label = Time zone
zone-question-help = Calendars that name no time zone are read in this one. Until you choose, the server’s time zone is used.
