# Texte der Startseite der Verwaltung und des Überwachungsprotokolls. Die Schlüssel sind in allen Sprachen gleich.

nav-health = Zustand

# Überwachungsprotokoll: ein Satz für jede Art von Eintrag. $name: der Urheber.
audit-intro = Änderungen und Anmeldungen. Klappen Sie einen Eintrag auf, um Einzelheiten zu sehen. Was Personen an eigenen Daten ändern, wird kürzer und ohne Inhalt aufbewahrt.
audit-filter-who = Wer
audit-filter-what = Was
audit-filter-from = Von
audit-filter-to = Bis
audit-filter-all = Alles
audit-filter-people = Personen
audit-filter-import = Importe
audit-filter-accounts = Konten
audit-filter-settings = Einstellungen
audit-filter-scopes = Standorte und Gruppen
audit-filter-templates = Profilvorlagen
audit-filter-workgroups = Arbeitsgruppen
audit-filter-programs = Microphone Sync
audit-filter-keys = API-Schlüssel
audit-filter-backups = Sicherungen
audit-filter-sessions = Anmeldungen
audit-filter-directory = Verzeichnisabgleich
audit-details = Einzelheiten
audit-parts = { $count ->
    [one] Eine Person
   *[other] { $count } Personen
  }
audit-parts-more = und { $count } weitere
audit-organisation = Organisation
author-command-line = Die Befehlszeile
author-installation = Die Systemverwaltung
author-configuration = Der API-Schlüssel der Konfiguration
author-key = Der API-Schlüssel { $name }
author-demo = Die Demo
audit-unknown-kind = { $name }: { $value } ({ $target })
audit-say-account-add = { $name } hat das Konto { $target } angelegt
audit-say-account-change = { $name } hat das Konto { $target } geändert
audit-say-account-delete = { $name } hat das Konto { $target } gelöscht
audit-say-account-password = { $name } hat das Kennwort von { $target } gesetzt
audit-say-api_key-add = { $name } hat den API-Schlüssel { $target } erstellt
audit-say-api_key-delete = { $name } hat einen API-Schlüssel gelöscht
audit-say-backup-delete = { $name } hat die Sicherung { $target } gelöscht
audit-say-backup-make = { $name } hat eine Sicherung erstellt
audit-say-backup-restore = { $name } hat die Sicherung { $target } eingespielt
audit-say-clock-confirm = { $name } hat die Uhr des Servers bestätigt
audit-say-doctor-examine = { $name } hat die Installation geprüft
audit-say-people-import = { $name } hat { $count ->
    [one] eine Person
   *[other] { $count } Personen
  } importiert
audit-say-person-add = { $name } hat { $target } angelegt
audit-say-person-change = { $name } hat die Daten von { $target } geändert
audit-say-person-delete = { $name } hat { $target } gelöscht
audit-say-person-place = { $name } hat { $target } nach { $scope } verschoben
audit-say-programs-add = { $name } hat ein Programm hinzugefügt: { $target }
audit-say-programs-change = { $name } hat ein Programm geändert: { $target }
audit-say-programs-delete = { $name } hat ein Programm entfernt: { $target }
audit-say-programs-set = { $name } hat die Programmliste geändert: { $target }
audit-say-scope-add = { $name } hat { $target } als Standort oder Gruppe angelegt
audit-say-scope-change = { $name } hat den Standort oder die Gruppe { $target } geändert
audit-say-scope-delete = { $name } hat den Standort oder die Gruppe { $target } gelöscht
audit-say-settings-set = { $name } hat Einstellungen geändert: { $target }
audit-say-template-delete = { $name } hat die Profilvorlage { $target } gelöscht
audit-say-template-order = { $name } hat die Reihenfolge der Profilvorlagen geändert
audit-say-template-set = { $name } hat die Profilvorlage { $target } geändert
audit-say-work-cancel = { $name } hat einen Auftrag abgebrochen
audit-say-workgroup-delete = { $name } hat eine Arbeitsgruppe gelöscht
audit-say-workgroup-set = { $name } hat die Arbeitsgruppe { $target } geändert
audit-say-appointment-add = { $name } hat einen Termin von { $target } angelegt
audit-say-appointment-set = { $name } hat einen Termin von { $target } geändert
audit-say-appointment-delete = { $name } hat einen Termin von { $target } gelöscht
audit-say-profile-set = { $name } hat ein Profil von { $target } geändert
audit-say-profile-delete = { $name } hat ein Profil von { $target } gelöscht
audit-say-profile-order = { $name } hat die Reihenfolge der Profile von { $target } geändert
audit-say-profile-choose = { $name } hat den Status von { $target } gesetzt
audit-say-profile-automatic = { $name } hat den Status von { $target } wieder auf automatisch gestellt
audit-say-relationship-set = { $name } hat geändert, wer { $target } sehen darf
audit-say-favourites-set = { $name } hat die Favoriten von { $target } geändert
audit-say-settings-set_own = { $name } hat persönliche Einstellungen von { $target } geändert
audit-say-person-teams_account = { $name } hat das Teams-Konto von { $target } verbunden
audit-say-person-teams_account-link = { $name } hat { $target } mit einem Teams-Konto verbunden
audit-say-person-teams_account-forget = { $name } hat das Teams-Konto von { $target } getrennt
audit-say-device-add = { $name } hat einen Computer von { $target } gekoppelt
audit-say-device-code = { $name } hat einen Kopplungscode für { $target } angefordert
audit-say-device-pause = { $name } hat Microphone Sync von { $target } angehalten
audit-say-device-delete = { $name } hat einen Computer von { $target } entfernt
audit-own-appointments = { $name } hat eigene Termine geändert
audit-own-profiles = { $name } hat eigene Profile geändert
audit-own-status = { $name } hat den eigenen Status geändert
audit-own-sharing = { $name } hat Freigaben geändert
audit-own-settings = { $name } hat persönliche Einstellungen geändert
audit-own-teams = { $name } hat das eigene Teams-Konto geändert
audit-own-devices = { $name } hat eigene Computer geändert
audit-say-directory-synchronise = Das Verzeichnis hat { $count ->
    [one] eine Person
   *[other] { $count } Personen
  } geändert
audit-say-demo-arrange = Die Beispielorganisation wurde eingerichtet
audit-say-session-begin = { $target } hat sich angemeldet
audit-say-session-fail = Eine Anmeldung als { $target } ist fehlgeschlagen
audit-say-session-refuse = Eine Anmeldung als { $target } wurde nach zu vielen Versuchen abgelehnt

# Startseite
home-status = Status
home-not-set-up = Noch nicht eingerichtet
home-next = Als Nächstes: { $name }
home-works = Alles funktioniert
home-works-about = { $count ->
    [one] Eine Verbindung, keine Störung
   *[other] { $count } Verbindungen, keine Störung
  }
home-synchronised = Abgeglichen
home-of = { $count } von { $value }
home-why-not = { $count ->
    [one] Eine Person nicht. Warum?
   *[other] { $count } Personen nicht. Warum?
  }
home-all-synchronised = Alle Personen
home-nobody = Noch keine Personen
home-latency = Telefon → Teams, letzte Stunde
home-latency-about = 99 %: { $value } · { $count ->
    [one] eine Änderung
   *[other] { $count } Änderungen
  }
home-latency-none = Nichts in der letzten Stunde
home-budget = Anfragekontingent bei Microsoft
home-budget-about = { $tenant } · Abfrage alle { $value }
home-budget-none = Kein Mandant verbunden
home-attention = Handlungsbedarf
home-attention-none = Kein Handlungsbedarf.
home-what = Was
home-since = Seit
home-check-pbx = Verbindung prüfen
home-check-teams = Verbindung prüfen
home-check = Einzelheiten
home-review = Ansehen
home-zone = Zeitzone nicht festgelegt
home-zone-about = Arbeitszeiten und Termine richten sich nach der Zeitzone des Servers.
home-zone-set = Festlegen
home-unmatched = { $count ->
    [one] Eine Person hat kein Teams-Konto
   *[other] { $count } Personen haben kein Teams-Konto
  }
home-unmatched-about = Anmeldename und E-Mail-Adresse passen zu keinem Konto des Mandanten.
home-silent = { $count ->
    [one] Für eine Person fehlen Aktualisierungen
   *[other] Für { $count } Personen fehlen Aktualisierungen
  }
home-problem-pbx = Störung der Telefonanlage „{ $name }“
home-problem-teams = Störung bei Microsoft Teams ({ $name })
home-problem-directory = Störung des Verzeichnisses ({ $name })
home-problem-server = Störung des Servers: { $name }
home-warning = Hinweis zu { $name }
home-start = Erste Schritte
home-start-done = { $count } von 6 erledigt
home-step-teams = Microsoft Teams verbinden
home-step-people = Personen aufnehmen
home-step-people-count = Personen aufnehmen ({ $count })
home-step-scopes = Standorte und Gruppen anlegen
home-step-pbx = Telefonanlage verbinden
home-step-pilot = Pilotgruppe einschalten
home-step-agents = Desktop-Agenten verteilen
home-step-done = Erledigt
home-open = Öffnen
home-continue = Weiter
home-label = { $name }: { $value }
home-day = Letzte 24 Stunden
home-day-about = Begonnene Anrufe je Stunde, am Telefon und in Teams. Gezählt seit dem Start des Servers, falls er noch keine 24 Stunden läuft.
home-day-none = Noch keine Anrufe. Gezählt wird seit dem Start des Servers.
home-day-axis = vor { $count } Std.
home-hour = Stunde
home-calls = Anrufe
home-now = jetzt
home-recent = Letzte Änderungen
home-recent-none = Noch keine Änderungen.
home-recent-all = Alle Änderungen

# Bestätigungen mit einer Zahl
done-backup = { $count ->
    [0] Sicherung erstellt.
   *[other] Sicherung erstellt: { $count } KiB
  }
done-people-imported = { $count ->
    [one] Eine Person importiert
   *[other] { $count } Personen importiert
  }
done-people-added = { $count ->
    [one] Eine Person hinzugefügt
   *[other] { $count } Personen hinzugefügt
  }
done-people-changed = { $count ->
    [one] Eine Person geändert
   *[other] { $count } Personen geändert
  }
done-person-deleted = Person gelöscht
done-person-added = Person angelegt
done-person-changed = Daten der Person geändert
done-scope-added = Angelegt. Als Nächstes folgen Einstellungen oder Personen.
done-scope-deleted = Standort oder Gruppe gelöscht
done-scope-changed = Name oder Mandant geändert
done-zone = Zeitzone festgelegt
done-backup-deleted = Sicherung gelöscht
done-key-deleted = API-Schlüssel gelöscht
done-moved = Person verschoben
done-workgroup-deleted = Arbeitsgruppe gelöscht
done-place = Personen dieses Bereichs geändert
