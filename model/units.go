package model

import (
	"regexp"
	"strings"
)

const dotService = ".service"

// LastingUnit is the name of a systemd service without what only one life of it has:
//
//	sshd@12-10.0.0.1:22-10.0.0.9:4711.service  sshd@.service            a connection to a socket unit with Accept=yes
//	systemd-coredump@3-4711-0.service          systemd-coredump@.service  the same, of a Unix socket
//	app-editor@6a4b...(32 digits).service      app-editor@.service      a program that a desktop began
//	run-u42.service, run-r6a4b....service      run-*.service            systemd-run(1) without a name
//	dbus-:1.23-org.example.Job@0.service       dbus-org.example.Job.service  begun by a D-Bus message
//	job@2b8f3f5c-....service (a UUID)          job@.service
//	build-2b8f3f5c-....service                 build-*.service            likewise with 32 hexadecimal digits and more
//
// Sources: systemd src/core/socket.c (instance_from_socket), src/run/run.c, dbus-broker's
// launcher. Other names stay as they are.
func LastingUnit(unit string) string {
	name, ok := strings.CutSuffix(unit, dotService)
	if !ok {
		return unit
	}
	if rest, ok := strings.CutPrefix(name, "dbus-:"); ok {
		connection, activated, _ := strings.Cut(rest, "-")
		activated, _, _ = strings.Cut(activated, "@")
		if only(connection, digits+".") && activated != "" && activated[0] != ':' {
			return "dbus-" + activated + dotService
		}
		return unit
	}
	if rest, ok := strings.CutPrefix(name, "run-"); ok && unnamed(rest) {
		return "run-*" + dotService
	}
	if template, instance, ok := strings.Cut(name, "@"); ok && oneLife(instance) {
		return template + "@" + dotService
	}
	if lasting := randomID.ReplaceAllString(name, "$1*$3"); lasting != name {
		return randomID.ReplaceAllString(lasting, "$1*$3") + dotService // once more: two may share a dash
	}
	return unit
}

// randomID is a UUID, or an id of 32 hexadecimal digits and more, as containers have.
var randomID = regexp.MustCompile(`(^|[^0-9A-Za-z])(` + uuid + `|[0-9a-f]{32,})($|[^0-9A-Za-z])`)

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

var onlyUUID = regexp.MustCompile(`^` + uuid + `$`)

// unnamed says whether a text is what systemd-run puts behind "run-": "u" and the number of
// its connection to D-Bus, "r" and a random id, or "pPID-iID".
func unnamed(s string) bool {
	if s == "" {
		return false
	}
	kind, rest := s[0], s[1:]
	switch kind {
	case 'u':
		return only(rest, digits)
	case 'r':
		return len(rest) == 32 && only(rest, hexDigits)
	case 'p':
		pid, id, ok := strings.Cut(rest, "-i")
		return ok && only(pid, digits) && only(id, digits)
	}
	return false
}

// oneLife says whether the instance of a template means one connection, "N-LOCAL:PORT-PEER:PORT"
// or "N-PID-UID", or is a random id.
func oneLife(instance string) bool {
	if len(instance) == 32 && only(instance, hexDigits) || onlyUUID.MatchString(instance) {
		return true
	}
	number, rest, ok := strings.Cut(instance, "-")
	if !ok || !only(number, digits) {
		return false
	}
	local, peer, ok := strings.Cut(rest, "-")
	if !ok {
		return rest == "unknown"
	}
	return hasPort(local) && hasPort(peer) || only(local, digits+"_") && only(peer, digits)
}

func hasPort(s string) bool {
	i := strings.LastIndexByte(s, ':')
	return i > 0 && only(s[i+1:], digits)
}

const (
	digits    = "0123456789"
	hexDigits = digits + "abcdef"
)

// only says whether a text is of these characters, and not empty.
func only(s, of string) bool { return s != "" && strings.Trim(s, of) == "" }
