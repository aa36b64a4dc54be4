package model

import (
	"fmt"
	"testing"
)

func TestLastingUnit(t *testing.T) {
	const hash = "6a4b1d0cbe2f4d8f9b3a51c2d7e8f901"
	for unit, want := range map[string]string{
		"sshd@12-10.0.0.1:22-10.0.0.9:4711.service":          "sshd@.service",
		"sshd@0-2001:db8::1:22-2001:db8::9:4711.service":     "sshd@.service",
		"systemd-coredump@3-4711-0.service":                  "systemd-coredump@.service",
		"varlink@7-4711_123456-0.service":                    "varlink@.service",
		"x@3-unknown.service":                                "x@.service",
		"app-org.gnome.Terminal@" + hash + ".service":        "app-org.gnome.Terminal@.service",
		"job@2b8f3f5c-6f0e-4b7a-9d39-1a2b3c4d5e6f.service":   "job@.service",
		"build-2b8f3f5c-6f0e-4b7a-9d39-1a2b3c4d5e6f.service": "build-*.service",
		hash + hash + "-" + hash + "-" + hash + ".service":   "*-*-*.service", // Podman's health checks
		"job-" + hash + "x.service":                          "job-" + hash + "x.service",
		"nightly-20261121.service":                           "nightly-20261121.service",
		"run-u42.service":                                    "run-*.service",
		"run-r" + hash + ".service":                          "run-*.service",
		"run-p4711-i99.service":                              "run-*.service",
		"dbus-:1.23-org.freedesktop.nm_dispatcher@0.service": "dbus-org.freedesktop.nm_dispatcher.service",
		"nginx.service":                                      "nginx.service",
		"postgresql@15-main.service":                         "postgresql@15-main.service",
		"getty@tty1.service":                                 "getty@tty1.service",
		"user@1000.service":                                  "user@1000.service",
		"tunnel@10-berlin-2.service":                         "tunnel@10-berlin-2.service",
		"run-parts.service":                                  "run-parts.service",
		"run-u.service":                                      "run-u.service",
		"run-.service":                                       "run-.service",
		"x@.service":                                         "x@.service",
		"a.scope":                                            "a.scope",
		"":                                                   "",
	} {
		if got := LastingUnit(unit); got != want {
			t.Errorf("%s: got %s, want %s", unit, got, want)
		}
	}
}

// A thousand connections that systemd serves by a unit each are one program.
func TestHerdIsOneProcess(t *testing.T) {
	ids := make(map[string]bool)
	for i := range 1000 {
		ids[ProcessID("web-17", Process{Exe: "/usr/sbin/sshd", Cgroup: fmt.Sprintf("/system.slice/system-sshd.slice/sshd@%d-10.0.0.1:22-10.0.0.9:%d.service", i, 4000+i)})] = true
	}
	if len(ids) != 1 || !ids["process:web-17/usr/sbin/sshd@sshd@.service"] {
		t.Errorf("%d nodes: %v", len(ids), ids)
	}
}

func FuzzLastingUnit(f *testing.F) {
	f.Add("sshd@12-10.0.0.1:22-10.0.0.9:4711.service")
	f.Add("dbus-:1.23-org.x@0.service")
	f.Fuzz(func(t *testing.T, unit string) {
		once := LastingUnit(unit)
		if again := LastingUnit(once); again != once {
			t.Errorf("%q: %q, then %q", unit, once, again)
		}
	})
}
