package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/cmd/cassini/internal/client"
	"cassini/model"
)

// TestAnswers shows every answer in every format, and what was asked for it.
func TestAnswers(t *testing.T) {
	api := newFakeAPI(t)
	for name, tc := range map[string]struct{ line, asked string }{
		"services":      {"services", "services"},
		"services.json": {"services -o json --host web-17 --program nginx --state listening --at 2026-11-20T10:00:00+01:00", "services?at=2026-11-20T09%3A00%3A00Z&host=web-17&program=nginx&state=listening"},
		"deps":          {"deps", "dependencies"},
		"deps.json":     {"deps service:web-17/nginx:8080 --up --depth 3 -o json", "dependencies?depth=3&direction=up&of=service%3Aweb-17%2Fnginx%3A8080"},
		"deps.dot":      {"deps -o dot --host web-17", "graph?format=dot&host=web-17&kind=depends_on"},
		"deps.node.dot": {"deps host:web-17 -o dot", "dependencies?depth=1&direction=both&format=dot&of=host%3Aweb-17"},
		"graph":         {"graph --at 1h", "graph?at=2026-11-20T11%3A00%3A00Z"},
		"graph.json":    {"graph nginx --depth 2 -o json", "node?depth=2&id=service%3Aweb-17%2Fnginx%3A8080"},
		"graph.dot":     {"graph --kind service -o dot", "graph?format=dot&kind=service"},
		"graph.curl":    {"graph web-17/usr/bin/curl", "node?depth=1&id=process%3Aweb-17%2Fusr%2Fbin%2Fcurl"},
		"events":        {"events --kind service.ended --since 1h --limit 5", "events?kind=service.ended&limit=5&since=2026-11-20.11%3A00%3A00.000000.-.-"},
		"events.json":   {"events -o json --since 2026-11-20.09:00:00.000000.os.a", "events?since=2026-11-20.09%3A00%3A00.000000.os.a"},
		"status":        {"status", "status"},
	} {
		t.Run(name, func(t *testing.T) {
			got := cassini(t, map[string]string{"CASSINI_API": api.url}, strings.Fields(tc.line)...)
			if got.code != 0 || got.stderr != "" {
				t.Fatalf("exit code %d, stderr %q", got.code, got.stderr)
			}
			if api.last() != tc.asked {
				t.Errorf("asked %q, want %q", api.last(), tc.asked)
			}
			golden(t, name, got.stdout)
		})
	}
}

func TestContractOfJSON(t *testing.T) {
	api := newFakeAPI(t)
	for command, fields := range map[string]string{
		"services": "id host proto addr port pid exe cmdline uid gid cwd netns since state",
		"deps":     "client server proto port connections failed first_seen last_seen",
	} {
		got := cassini(t, nil, command, "-o", "json", "--api", api.url)
		var items []map[string]any
		if err := json.Unmarshal([]byte(got.stdout), &items); err != nil || len(items) == 0 {
			t.Fatalf("%s: %v in %s", command, err, got.stdout)
		}
		for _, item := range items {
			for field := range strings.FieldsSeq(fields) {
				if item[field] == nil {
					t.Errorf("%s: %s is missing or null in %v", command, field, item)
				}
			}
			for _, end := range []string{"client", "server"} {
				party, _ := item[end].(map[string]any)
				for field := range strings.FieldsSeq("id host exe pid addr") {
					if party != nil && party[field] == nil {
						t.Errorf("%s: %s of %s is missing", command, field, end)
					}
				}
			}
		}
	}
}

func TestStatusJSON(t *testing.T) {
	got := cassini(t, nil, "status", "-o", "json", "--api", newFakeAPI(t).url)
	var status client.Status
	if err := json.Unmarshal([]byte(got.stdout), &status); err != nil || status.Version != "v1" || len(status.Capture.Hooks) != 2 {
		t.Errorf("%v in %s", err, got.stdout)
	}
}

func TestNothingToShow(t *testing.T) {
	api := newFakeAPI(t)
	for _, command := range []string{"services", "deps"} {
		got := cassini(t, nil, command, "-o", "json", "--host", "nowhere", "--api", api.url)
		if got.code != 0 || got.stdout != "[]\n" {
			t.Errorf("%s: exit code %d, %q", command, got.code, got.stdout)
		}
		got = cassini(t, nil, command, "--host", "nowhere", "--api", api.url)
		if got.code != 0 || got.stdout != "" || !strings.HasPrefix(got.stderr, "no ") {
			t.Errorf("%s: exit code %d, %q, %q", command, got.code, got.stdout, got.stderr)
		}
	}
}

func TestRefusalIsShownClean(t *testing.T) {
	got := cassini(t, nil, "services", "--host", "bad", "--api", newFakeAPI(t).url)
	if got.code != 1 || got.stderr != "cassini services: unknown host \\x1b[31mbad\n" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}

func TestFollowEventsResumes(t *testing.T) {
	for _, format := range []string{"table", "json"} {
		got := cassini(t, nil, "events", "-f", "-o", format, "--api", newFakeAPI(t).url)
		lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
		if len(lines) != 2 {
			t.Errorf("want a line for each event, got %q", lines)
		}
		if !strings.Contains(got.stderr, "connecting again") || !strings.Contains(got.stderr, "resumed from 2026-11-20.12:00:00.000000.listeners.web-17") {
			t.Errorf("stderr %q", got.stderr)
		}
	}
}

func TestInterrupted(t *testing.T) {
	api := newFakeAPI(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for line, want := range map[string]int{"services": 1, "events -f": 0} {
		sys, _, stderr := sandbox(nil, nil)
		if code := execute(ctx, append(strings.Fields(line), "--api", api.url), sys); code != want {
			t.Errorf("%s: exit code %d, want %d: %s", line, code, want, stderr)
		}
	}
}

func TestChoose(t *testing.T) {
	nodes := fixtureGraph().Nodes
	node := func(id, program string) model.Node {
		kind, _, _ := strings.Cut(id, ":")
		return model.Node{ID: id, Kind: kind, Attrs: model.Attrs{"program": program}}
	}
	shell := node("process:a/usr/bin/cassini", "cassini") // its command line has the name
	redis := []model.Node{shell, node("process:a/usr/bin/redis-check-rdb@redis.service", "redis-server"), node("service:a/redis-server:1", "redis-server"), node("service:a/redis-server:2", "redis-server")}
	two := append(slices.Clone(redis), node("process:b/usr/bin/redis-server", "redis-server"), node("process:c/usr/bin/redis-server", "redis-server"))
	named := func(id, name string) model.Node {
		return model.Node{ID: id, Kind: strings.SplitN(id, ":", 2)[0], Attrs: model.Attrs{"name": name}}
	}
	switches := []model.Node{named("switch:00:01", "core-1"), node("switchport:00:01/p1", ""), named("interface:core-1-probe/eth0", "eth0")}
	for name, tc := range map[string]struct {
		nodes []model.Node
		want  string
		err   string
	}{
		"core-1":            {switches, "switch:00:01", ""},
		"web-17/nginx:8080": {nodes, "service:web-17/nginx:8080", ""},
		"web-17":            {nodes, "host:web-17", ""},
		"nginx":             {nodes, "service:web-17/nginx:8080", ""},
		"wget":              {nodes[2:3], "process:web-17/usr/bin/wget", ""},
		"usr":               {nodes[1:3], "", `"usr" may be any of process:web-17/usr/bin/curl, process:web-17/usr/bin/wget; name one of them`},
		"redis-server":      {redis, "process:a/usr/bin/redis-check-rdb@redis.service", ""},
		"Redis-server":      {redis, "", `"Redis-server" may be any of service:a/redis-server:1, service:a/redis-server:2; name one of them`},
		"redis": {two, "", `"redis" may be any of process:a/usr/bin/redis-check-rdb@redis.service, service:a/redis-server:1, service:a/redis-server:2, ` +
			`process:b/usr/bin/redis-server, process:c/usr/bin/redis-server; name one of them`},
		"nothing": {nil, "", `no node is called "nothing"; 'cassini graph' shows all`},
	} {
		got, err := choose(name, tc.nodes)
		if got != tc.want || err != nil && err.Error() != tc.err || err == nil && tc.err != "" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// TestHostAt wants the host of an address, and none where several have it.
func TestHostAt(t *testing.T) {
	card := func(host string, addrs ...any) model.Node {
		return model.Node{ID: "interface:" + host + "/eth0", Kind: model.KindInterface, Attrs: model.Attrs{"addresses": addrs}}
	}
	nodes := []model.Node{card("a", "10.0.0.1/24", "172.17.0.1/16"), card("b", "10.0.0.2/24", "172.17.0.1/16"), {ID: "ip:10.0.0.1", Kind: model.KindIP}}
	for name, want := range map[string]string{"10.0.0.1": "host:a", "10.0.0.2": "host:b", "172.17.0.1": "", "10.0.0.3": ""} {
		if got := hostAt(netip.MustParseAddr(name), nodes); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestMoments wants what tables show to be taken back, in the zone of now.
func TestMoments(t *testing.T) {
	zone := time.FixedZone("", 3600)
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, zone)
	for text, want := range map[string]time.Time{
		"10m":                       at.Add(-10 * time.Minute),
		"2026-11-20T08:30:05Z":      time.Date(2026, 11, 20, 9, 30, 5, 0, zone),
		"2026-11-20T08:30:05-02:00": time.Date(2026, 11, 20, 11, 30, 5, 0, zone),
		"2026-11-20 08:30:05":       time.Date(2026, 11, 20, 8, 30, 5, 0, zone),
		"2026-11-20T08:30:05":       time.Date(2026, 11, 20, 8, 30, 5, 0, zone),
		"2026-11-20 08:30":          time.Date(2026, 11, 20, 8, 30, 0, 0, zone),
		"2026-11-20T08:30":          time.Date(2026, 11, 20, 8, 30, 0, 0, zone),
		"2026-11-20":                time.Date(2026, 11, 20, 0, 0, 0, 0, zone),
	} {
		if got, err := parseMoment(text, at); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, want %v, %v", text, got, want, err)
		}
	}
	for _, text := range []string{"", "-10m", "20.11.2026", "08:30", "yesterday", "2026-13-01"} {
		if got, err := parseMoment(text, at); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// TestMomentsWhereClocksAreChanged reads what clocks show that people change twice a year.
func TestMomentsWhereClocksAreChanged(t *testing.T) {
	for _, tc := range []struct{ zone, text, want string }{
		{"Europe/Berlin", "2026-03-29 01:59", "2026-03-29T00:59:00Z"},
		{"Europe/Berlin", "2026-03-29 02:30", "leap over"},
		{"Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25 01:59", "2026-10-24T23:59:00Z"},
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"},
		{"Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-11-01 01:00", "2026-11-01T01:00:00-04:00 or 2026-11-01T01:00:00-05:00"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "twice"},
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"}, // begins at 01:00
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"}, // the day after
		{"Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"},
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"}, // comes to midnight twice
		{"Asia/Kathmandu", "2026-11-20 08:30", "2026-11-20T02:45:00Z"},
		{"UTC", "2026-03-29 02:30", "2026-03-29T02:30:00Z"},
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := parseMoment(tc.text, time.Date(2027, 1, 1, 0, 0, 0, 0, zone))
		got := at.UTC().Format(time.RFC3339)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s in %s: got %s, want %s", tc.text, tc.zone, got, tc.want)
		}
	}
}

// TestServicesAt wants services on an address, and on every address of its host alone.
func TestServicesAt(t *testing.T) {
	service := func(host, program, addr string, port int, state string) model.Node {
		return model.Node{ID: fmt.Sprintf("service:%s/%s:%d", host, program, port), Kind: model.KindService, Attrs: model.Attrs{"addr": addr, "port": float64(port), "state": state}}
	}
	nodes := []model.Node{
		service("a", "nginx", "10.0.0.1", 80, "listening"), service("a", "sshd", "0.0.0.0", 22, "listening"), service("b", "sshd", "::", 22, "listening"),
		service("a", "old", "10.0.0.1", 80, "ended"), service("a", "gone", "10.0.0.1", 81, "ended"),
	}
	for name, want := range map[string]string{
		"10.0.0.1:80": "service:a/nginx:80", "10.0.0.1:22": "service:a/sshd:22", "10.0.0.1:81": "service:a/gone:81", "10.0.0.2:80": "", "10.0.0.1:23": "",
	} {
		if got := strings.Join(servicesAt(netip.MustParseAddrPort(name), "host:a", nodes), " "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestCompletion(t *testing.T) {
	api := newFakeAPI(t)
	for line, want := range map[string]string{
		"__complete deps pro":          "process:web-17/usr/bin/curl\nprocess:web-17/usr/bin/wget\n:4\n",
		"__complete graph serv":        "service:web-17/nginx:8080\n:4\n",
		"__complete services -o ":      "table\njson\n:4\n",
		"__complete services --state ": "listening\nended\n:4\n",
		"__complete events --kind ":    strings.Join(model.EventKinds(), "\n") + "\n:4\n",
		"__complete completion ":       "bash\nzsh\nfish\n:4\n",
	} {
		got := cassini(t, map[string]string{"CASSINI_API": api.url}, strings.Split(line, " ")...)
		if got.stdout != want {
			t.Errorf("%s: got %q, want %q (%s)", line, got.stdout, want, got.stderr)
		}
	}
	got := cassini(t, map[string]string{"CASSINI_API": closedPort(t)}, "__complete", "deps", "")
	if got.code != 0 || got.stdout != ":4\n" {
		t.Errorf("without a manager: exit code %d, %q", got.code, got.stdout)
	}
}

func TestDoctor(t *testing.T) {
	api := newFakeAPI(t)
	good := []model.Hook{{Fact: "tcp", Hook: "tp_btf/inet_sock_set_state", First: true}}
	for name, tc := range map[string]struct {
		hooks  []model.Hook
		probe  error
		args   []string
		code   int
		stderr string
	}{
		"local":      {good, nil, nil, 0, ""},
		"local.json": {good, nil, []string{"-o", "json"}, 0, ""},
		"remote":     {good, nil, []string{"--api", api.url}, 1, "cassini doctor: 1 of 2 facts are not served by this kernel; the last column says why\n"},
		"neither":    {nil, errors.New("run as root"), nil, 1, "cassini doctor: probe this kernel: run as root\ncannot reach Cassini at http://127.0.0.1:1: connection refused; start"},
	} {
		t.Run(name, func(t *testing.T) {
			sys, stdout, stderr := sandbox(nil, nil)
			sys.probe = func(context.Context) ([]model.Hook, error) { return tc.hooks, tc.probe }
			args := append([]string{"doctor", "--config", writeFile(t, "")}, tc.args...)
			if tc.probe != nil {
				args = append(args, "--config", writeFile(t, "api: 127.0.0.1:1\n"))
			}
			code := execute(t.Context(), args, sys)
			if code != tc.code || !strings.HasPrefix(stderr.String(), tc.stderr) {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			golden(t, "doctor."+name, stdout.String())
		})
	}
}
