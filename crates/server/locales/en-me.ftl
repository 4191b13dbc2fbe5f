# The words of people's own pages, and what all pages share. Keys are the same in all languages.

# Frame
nav-me = Me
nav-admin = Administration
nav-me-now = Now
nav-profiles = My Profiles
nav-appointments = Appointments
nav-sharing = Who sees me
nav-settings = Settings
yes = Yes
no = No
profile-active = active
actions = Actions
add = Add
change = Change
save = Save
delete = Delete
search = Find
delete-of = Delete { $name }
delete-sure = Delete { $name }? This cannot be undone.
as-table = As a table
list-before = Previous page
list-after = Next page
list-pages = Pages
move-up = Move { $name } up
move-down = Move { $name } down
seconds =
    { $count ->
        [one] { $count } second
       *[other] { $count } seconds
    }
seconds-help = Seconds.
form-meanwhile = Somebody else has changed this since you opened the page. What stands there now is shown beside what you typed; save again to replace it.
form-now = Now it is: { $value }
refused-not-found = There is no such page
refused-forbidden = This is not for you
refused-other = That did not work
somebody-help = A name, a mail address or an extension.
several-help = One person in each line: a name, a mail address or an extension.

# What was done
done-added = Added.
done-own-page = These settings are their own now; nothing in them has changed yet.
done-saved = Saved, and in force already.
done-deleted = Deleted.
done-ordered = The order is saved.
done-chosen = Your profile is in force.
done-automatic = Your presence follows what you do again.
done-imported = The people are imported.
done-synchronised = The directory is synchronised.

# Reasons
reasons-caption = Reasons in the order of the rules
reasons-rule = Rule
reasons-source = Source
reasons-says = What it says
reasons-verdict = Effect
rule-profile-1-own-do-not-disturb = 1: your own Do not disturb
rule-profile-2-appointment-in-do-not-disturb = 2: an appointment with Do not disturb
rule-profile-3-do-not-disturb-in-teams = 3: Do not disturb in Teams
rule-profile-4-call-in-teams = 4: a call in Teams
rule-profile-5-appointment = 5: an appointment
rule-profile-6-own-choice = 6: a profile chosen by hand
rule-profile-7-locked-screen = 7: the screen is locked
rule-profile-7-inactivity = 7: nobody at keyboard or mouse
rule-profile-7-no-client = 7: no client runs
rule-profile-7-no-client-as-teams-shows = 7: no client runs, so as Teams shows
rule-profile-8-own-choice-of-available = 8: Available chosen by hand
rule-profile-8-at-rest = 8: nothing else applies
rule-activity-call-on-the-telephone-system = Call on the telephone system
rule-activity-meeting = Meeting
rule-activity-presenting-in-teams = Presenting in Teams
rule-activity-call-in-teams = Call in Teams
rule-activity-program-at-the-microphone = Program at the microphone
rule-activity-ringing = Ringing
rule-teams-what-it-shows = What Teams shows
rule-teams-what-offhook-wrote = What Offhook wrote to Teams
rule-teams-loop-breaker = Loop breaker: somebody answers what Offhook writes

# Me, now
me-profile = Profile
me-why = Why
me-choose = Choose a profile
me-until = For how long
me-until-at = Until
me-until-help = Only for “until a moment”.
me-automatic = End “{ $profile }” and follow what I do
me-teams-connected = Connected.
me-teams-sign-in = Known, but you are not signed in
until-changed = until I change it
until-30 = for 30 minutes
until-60 = for an hour
until-120 = for two hours
until-today = until the end of the day
until-at = until a moment

# Profiles
profiles-about = Drag the rows, or use the arrows: the first of a status is the one that is meant when only the status is named.
profiles-none = There are no profiles for you yet.
profile-add = Make a profile
profile-edit = Change { $name }
profile-name-help = The name stays as it is for ever.
profile-forwarding = Calls
profile-target = Forward to
profile-target-help = A number, a SIP address, or voicemail.
profile-text = Text
profile-text-help = Shown beside your status.
profile-origin = From
profile-inactive = not active
forwarding-off = are not forwarded
forwarding-all = all are forwarded
forwarding-internal = internal ones are forwarded
forwarding-external = external ones are forwarded
forwarding-do_not_disturb = are refused

# Appointments
appointments-none = Nothing in this time.
appointment-add = Add an appointment
appointment-edit = Change the appointment
appointment-text = What it is about
appointment-start = Begins
appointment-end = Ends
appointment-open = still on
appointment-zone = Time zone: { $zone }.
appointment-colour = Colour
appointment-private = Private
appointment-private-help = Others see that you are busy, but not with what.
calendar-caption = My appointments
calendar-list = As a list
calendar-which = Which days
calendar-before = Earlier
calendar-today = Today
calendar-after = Later
calendar-day = One day
calendar-week = Seven days
weekday-1 = Mon
weekday-2 = Tue
weekday-3 = Wed
weekday-4 = Thu
weekday-5 = Fri
weekday-6 = Sat
weekday-7 = Sun
origin-manual = entered here
origin-calendar = calendar
origin-teams = Teams

# Who sees me
sharing-everybody = Everybody else is to you: { $level }. What you say of single people holds as far as this allows: { $policy }.
sharing-people = People I have said something about
sharing-none = You have not said anything about single people.
sharing-add = Say it of somebody
sharing-viewer = Who
sharing-level = Relationship
sharing-own = I said
sharing-holds = Holds
sharing-of = Who sees what of { $name }
sharing-everybody-of = Everybody else is to this person: { $level }. What is said of single people here holds as the person's own word does, as far as this allows: { $policy }.
sharing-people-of = People of whom something is said
sharing-own-of = Said
sharing-none-of = Nothing is said of single people.
levels-heading = What each relationship means
levels-caption = Relationships
levels-may = May
level-Blocked = Blocked
level-Unknown = Unknown
level-External = External
level-Employee = Employee
level-TeamColleague = Team colleague
level-Assistant = Assistant
level-AssistantPlus = Assistant plus
level-Blocked-may = See nothing: you look offline
level-Unknown-may = See nothing: you look offline
level-External-may = See the status, and the name of a profile you chose yourself
level-Employee-may = See also profile and activity, and that there is an appointment
level-TeamColleague-may = See also the program at the microphone and what appointments are about; pick up calls
level-Assistant-may = See also private appointments and who is on the line; choose profiles
level-AssistantPlus-may = Change also forwarding and appointments
policy-extend_and_restrict = let them see more or less
policy-extend_only = let them see more

# Settings
settings-about = What carries a lock was decided by your administrator. All else is yours.
setting-given = As given: { $value }
setting-given-none = As given
page-presence = Presence
page-teams = Teams
page-microphone = Microphone Sync
page-profiles = Profiles
page-automatic = Automatic activation
page-calendar = Calendar
mode-none = nothing
mode-telephony_and_presence = calls, and Do not disturb both ways
mode-telephony_only = telephony only (calls)
setting-presence-relationship = Everybody else is
setting-presence-owner_policy = People themselves may
setting-presence-history = Keep the changes of the last 24 hours on disk
setting-teams-mode = What is synchronised with Teams
setting-teams-base_from_teams = Who has no client open shows what Teams shows
setting-teams-renew_dnd = Write Do not disturb to Teams again when Microsoft drops it after a day
setting-microphone-enabled = Show colleagues of the team which program uses the microphone
setting-microphone-on_after = A program is shown after so long
setting-microphone-off_after = It is shown for so long after its end
setting-microphone-history = Remember programs in the history of the last 24 hours
setting-profiles-personal = People may make profiles of their own
setting-automatic-client_start = Profile while a client is open
setting-automatic-client_end = Profile when no client is open any more
setting-automatic-client_end_after = So long after the last client
setting-automatic-inactivity = Profile when nobody touches keyboard or mouse
setting-automatic-inactivity_after = After so long without a touch
setting-automatic-locked = Profile while the screen is locked
setting-calendar-enabled = Appointments change the presence
setting-calendar-feed = Address of the calendar (iCalendar)
setting-calendar-feed-help = An https address that your calendar gives out; it is read every five minutes.
setting-calendar-tentative = Tentative appointments count too
setting-calendar-busy = Profile of busy time
setting-calendar-out_of_office = Profile of time out of office
setting-calendar-time_zone = Time zone of appointments that name none
setting-calendar-time_zone-help = For example Europe/Berlin.
setting-calendar-texts = Take over what appointments are about
scope-product = the product’s defaults
scope-organisation = Organisation

# A colleague
person-call = Call
person-relationship = I am to them
person-more = All about { $name }
timeline-caption = The last 24 hours
timeline-none = Nothing has changed.
board-favourites = Favourites
board-everybody = Everybody
board-favourite = Favourite: { $name }

# My computers
nav-devices = My computers
devices-about = On each of your computers a small program can tell Offhook which meeting program uses the microphone, so that your team sees it. It never listens, tells only what your administrator has listed, and you can pause it.
devices-none = None of your computers is connected yet.
device-pair = Connect a computer
device-pair-about = On that computer, install the Offhook agent and run this command. The code is good once.
device-code = Show a code
device-code-is = Code
device-code-until = Good until
device-command = Command
device-system = System
device-reports = Tells about you
device-nothing = nothing
device-away = not connected
device-paused = paused
device-paused-until = Paused until
device-hour = Pause for an hour
device-tomorrow = Pause until tomorrow
device-resume = Go on
device-does = { $name }: { $value }
