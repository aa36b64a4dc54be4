package main

import (
	"strings"
	"testing"
)

func TestConfigCheck(t *testing.T) {
	for content, want := range map[string]struct {
		args   string
		code   int
		stdout string
		stderr string
	}{
		"listen: 127.0.0.1:2000\ntls-name: [a.example, b.example]\n": {"", 0, "run: good\nagent: good\nmanager: good\n", ""},
		"lissten: 127.0.0.1:2000\n":                                  {"", 2, "", `:1: unknown key "lissten"; did you mean listen?`},
		"listen: 0.0.0.0:1984\n":                                     {"", 0, "manager: good\n", "others would not start: --listen/CASSINI_LISTEN"},
		"listen: 0.0.0.0:1985\n":                                     {"agent", 2, "", "not a loopback address"},
		"# nothing\n":                                                {"nobody", 2, "", `"nobody": want run, agent or manager`},
		"tls-cert: /nonexistent\ntls-key: /nonexistent\n":            {"manager", 1, "", "read the manager's certificate from /nonexistent"},
	} {
		args := append(append([]string{"config", "check"}, strings.Fields(want.args)...), "--config", writeFile(t, content))
		got := cassini(t, nil, args...)
		if got.code != want.code || got.stdout != want.stdout || !strings.Contains(got.stderr, want.stderr) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", content, got.code, got.stdout, got.stderr)
		}
	}
}

func TestConfigShow(t *testing.T) {
	path := writeFile(t, "retention-age: 24h\ntoken: cassini_viewer_hush\n")
	got := cassini(t, map[string]string{"CASSINI_LISTEN": "127.0.0.1:7"}, "config", "show", "manager", "--config", path)
	for _, want := range []string{"listen 127.0.0.1:7 CASSINI_LISTEN", "24h0m0s " + path + ":1", "retention-size 1GiB default"} {
		if !strings.Contains(strings.Join(strings.Fields(got.stdout), " "), want) {
			t.Errorf("want %q, got %d:\n%s%s", want, got.code, got.stdout, got.stderr)
		}
	}
	got = cassini(t, nil, "config", "show", "services", "-o", "json", "--config", path)
	if got.code != 0 || strings.Contains(got.stdout, "hush") || !strings.Contains(got.stdout, `"(hidden)"`) {
		t.Errorf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	for _, args := range [][]string{{"config", "show", "nonsense"}, {"config"}, {"config", "shwo"}} {
		if got := cassini(t, nil, args...); got.code != 2 || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, %q", args, got.code, got.stderr)
		}
	}
}
