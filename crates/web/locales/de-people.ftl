# Die Übersicht: Zeilen, Filter, Reihenfolge.

line-teams-call = Teams-Anruf
line-until = bis { $time }
row-call = Anrufen
row-call-of = { $name } anrufen
row-chat = Chat
row-chat-of = Chat mit { $name } in Teams
board-everyone = Alle
board-chips = Nach Status filtern
board-view = Ansicht
board-group = Gruppe oder Standort
board-all-groups = Alle Gruppen
board-order = Reihenfolge
board-by-name = Nach Name
board-by-status = Nach Status
board-by-since = Letzte Änderung zuerst
board-compact = Kompakt
board-apply = Anwenden
board-reachable = { $shown } von { $count } verfügbar
board-nobody = Niemand passt zu Suche und Filtern.
board-show-all = Alle anzeigen
rail-groups = Gruppen
