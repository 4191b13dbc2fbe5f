# One's own status in the bar of every page.

own-set = Set my status
own-length = For how long
own-changed = No end
own-30 = 30 min
own-60 = 1 hour
own-today = Today
own-at = Until
own-automatic = Back to automatic
own-lost = Not saved: no connection to the server. Try again.
own-appointment = Appointment

own-teams-calls = Calls that come in while I’m in a Teams call
own-calls-ring = Let them ring
own-calls-voicemail = Send to voicemail

own-hide = Hide from someone
own-hide-help = You appear offline to this person, who is not told. Mail address, extension, or a part of the name.
own-hide-button = Hide

seen-title = How others see me
seen-viewer = Colleague
seen-of = How { $name } sees me
seen-no-reasons = This person sees no reasons.
