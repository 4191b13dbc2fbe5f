# English texts of the pages. The other languages have the same keys: a test checks.

# Layout of each page
nav-board = People
nav-my-teams = My Teams account
nav-sign-out = Sign out
nav-skip = Skip to content
nav-label = Navigation
nav-short-label = Main pages
nav-menu = Menu
account-pages = My account
find-label = Search people, numbers, groups
nav-language = Language
signed-in-as = Signed in as { $name }

# Statuses and activities
status-Available = Available
status-BeRightBack = Be right back
status-Busy = Busy
status-DoNotDisturb = Do not disturb
status-Absent = Absent
status-Offline = Offline
activity-Ringing = Ringing
activity-OnThePhone = On the phone
activity-OnThePhoneTeams = On the phone (MS Teams)
activity-InMeeting = In a meeting
activity-Presenting = Presenting
activity-UsingApp = { $app }
confidence-stale = no recent update

# Board
board-label = Presence of all people
board-people =
    { $count ->
        [one] { $count } person
       *[other] { $count } people
    }
board-people-of = { $shown } of { $count } people
board-connecting = Connecting …
board-live = Live
board-lost = Connection lost. Reconnecting …
board-name = Name
board-status = Status
board-activity = Activity
board-text = Text
board-since = Since
board-explanation = Explanation
board-why = Why?
board-why-of = Why { $status }? { $name }
board-empty = No people yet. <code>offhook import people.csv</code> imports a table with the columns name, mail, UPN and extension.
demo-about = This is a demo with sample people, a simulated PBX and a Teams tenant in a box.
demo-teams = Act as a Teams user
demo-pause = Pause the day
demo-resume = Resume the day

# Card
card-close = Close
card-profiles = Profiles
card-appointments = Appointments
card-automatic = Automatically
card-title = { $name }: why { $status }?
card-failed = The explanation could not be loaded. Try again in a moment.
card-with = with { $party }
card-choose-for = Set { $profile } for { $name }? Colleagues see the change, and the explanation says “chosen by hand”.
card-end-for = Stop { $profile } for { $name }?
card-since = since { $time }
card-until = until { $time } unless renewed
card-calls-to = calls to { $target }
card-calls-refused = calls are rejected
card-central = template
card-own = personal
card-now = now
card-nothing = nothing
card-locked = set by the administrator ({ $scope })
automatic-client_start = When a client starts
automatic-client_end = When the last client closes
automatic-inactivity = When keyboard and mouse are idle
automatic-locked = When the screen is locked

# Sign-in
sign-in-title = Sign in
sign-in-name = Name
sign-in-password = Password
sign-in-button = Sign in
sign-in-wrong = Incorrect name or password. An administrator can set a new password.
sign-in-wait = Too many attempts. Try again in { $seconds } seconds.
sign-in-busy = Too many sign-ins at once. Try again in { $seconds } seconds.
sign-in-open-id = Sign in with { $name }
sign-in-link = Or open a one-time link: run <code>offhook link</code> on the machine that runs Offhook (in the demo, press Enter in its terminal).
sign-in-link-used = This link has already been used, has expired or is not valid.
sign-out-everywhere = Sign out everywhere

# My Teams account
teams-title = My Teams account
teams-who = { $name }, tenant { $tenant }
teams-code-before = Open
teams-code-after = and enter
teams-code-notice = This page updates when you have signed in.
teams-connected-remembered = Connected. Your sign-in is stored encrypted and used only by Offhook.
teams-connected-once = Connected. Your sign-in is not stored: sign in again after Offhook restarts.
teams-connected-tenant = Connected. Your administrator has connected the whole tenant, so you don’t need to sign in.
teams-known = Your account is known, but you are not signed in. Nothing is synchronised with Teams until you sign in.
teams-not-connected = Not connected.
teams-linked = Account: { $name }
teams-question = Is { $name } your account?
teams-question-why = It is not the account Offhook has for you. Nothing is connected until you confirm.
teams-question-of = This is the sign-in name of { $name }. If you signed in with the wrong account, discard it.
teams-question-link = Connect this account
teams-question-discard = Discard
teams-password = You sign in at Microsoft; Offhook never sees your password.
teams-remember = Stay signed in (stored encrypted)
teams-with-code = Sign in with a code
teams-in-browser = Sign in in this browser
teams-in-browser-once = Sign in in this browser without staying signed in
teams-disconnect = Disconnect

nav-password = Password
done-password = Password changed. All other sessions are signed out.
