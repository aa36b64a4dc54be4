package watch

import (
	"flag"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"
	"go.uber.org/goleak"

	"cassini/model"
)

var update = flag.Bool("update", false, "write golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// dep is a dependency with counters.
func dep(client, server string, port uint16, c model.Counters) model.DependencyView {
	return model.DependencyView{
		ID: client + " -depends_on-> " + server, Proto: "tcp", Port: port, Counters: c, SeenBy: []string{"client", "server"},
		Client:    model.Party{ID: client, Host: "web-17", Exe: "/usr/bin/x", PID: 77, Addr: addr("10.0.0.17")},
		Server:    model.Party{ID: server, Host: "db-3", Addr: addr("10.0.0.3")},
		FirstSeen: noon.Add(-time.Hour), LastSeen: noon,
	}
}

func svc(id string, port uint16, state string) model.Service {
	return model.Service{ID: id, Host: "web-17", Proto: "tcp", Addr: addr("0.0.0.0"), Addrs: []netip.Addr{addr("0.0.0.0"), addr("::")}, Port: port,
		State: state, Since: noon.Add(-time.Hour), Process: model.Process{PID: 4711, Exe: "/usr/sbin/x", Cmdline: []string{"x", "-c", "/etc/x with blanks.conf"}, UID: "www", GID: "www", Cwd: "/"}}
}

// story is what a manager tells, second by second.
func story(second int) Picture {
	n := uint64(second)
	at := noon.Add(time.Duration(second) * time.Second)
	idle := dep("process:web-17/usr/sbin/cron", "service:web-17/10.9.9.9:25", 25, model.Counters{Connections: 2, Failed: 7, Refused: 4, TimedOut: 2})
	idle.LastSeen = noon.Add(-2 * time.Minute)
	ancient := dep("process:web-17/usr/bin/apt", "service:web-17/mirror:80", 80, model.Counters{Connections: 9})
	ancient.LastSeen = noon.Add(-time.Hour)
	p := Picture{
		At: at,
		Services: []model.Service{
			svc("service:web-17/nginx:443", 443, model.StateListening), svc("service:db-3/postgres:5432", 5432, model.StateListening),
		},
		Dependencies: []model.DependencyView{
			dep("process:web-17/usr/sbin/nginx", "service:db-3/postgres:5432", 5432, model.Counters{Connections: 100 + 120*n, Open: 12, BytesSent: 5000 * n, BytesReceived: 3 << 20 * n, RTTMicros: 312, Closed: 88}),
			dep("process:web-17/usr/bin/curl", "service:web-17/nginx:443", 443, model.Counters{Connections: 5 + n, Failed: 3 * n, Refused: 2 * n, Aborted: n, BytesSent: 80 * n, RTTMicros: 81}),
			idle, ancient,
		},
		Hosts: []model.HostLiveness{
			{Host: "web-17", State: "up", Since: noon.Add(-time.Hour), WatchedBy: []string{"db-3"}, Zone: "subnet:10.0.0.0/24"},
			{Host: "db-3", State: "up", Since: noon.Add(-time.Hour), WatchedBy: []string{"web-17"}},
			{Host: "old-9", State: "crashed", Since: noon, WatchedBy: []string{"db-3"}},
		},
		Incidents: []model.Incident{
			{ID: "a/1/1", Kind: "host-crashed", Severity: model.SeverityCritical, State: model.IncidentOpen, Opened: noon, Subjects: []string{"old-9"}, Summary: "old-9 crashed: nobody hears anything from there"},
			{ID: "a/1/0", Kind: "agent-ended", Severity: model.SeverityWarning, State: model.IncidentClosed, Opened: noon.Add(-time.Hour), Closed: noon.Add(-30 * time.Minute), Subjects: []string{"db-3"}, Summary: "the agent of db-3 ended; over"},
		},
	}
	if second >= 2 {
		p.Services = append(p.Services, svc("service:web-17/redis:6379", 6379, model.StateListening))
		p.Dependencies = append(p.Dependencies, dep("process:web-17/opt/app/bin/worker", "service:web-17/redis:6379", 6379, model.Counters{Connections: 1, Open: 1}))
	}
	return p
}

// told is a Model that has heard the story from second 0 to one.
func told(width, height, until int, keys ...string) *Model {
	m := New(Config{Address: "http://127.0.0.1:1984", Interval: time.Second, Zone: time.UTC})
	m.Resize(width, height)
	for second := range until + 1 {
		m.Take(story(second))
	}
	if until >= 2 {
		m.Heard(model.Event{Time: noon.Add(2 * time.Second), Kind: model.EventServiceStarted, Summary: "redis on 0.0.0.0:6379 of web-17\nlistens"})
	}
	press(m, keys...)
	return m
}

// press presses keys; "/nginx" types.
func press(m *Model, keys ...string) {
	for _, key := range keys {
		if rest, ok := strings.CutPrefix(key, "/"); ok {
			m.Key("/", "/")
			for _, r := range rest {
				m.Key(string(r), string(r))
			}
			continue
		}
		m.Key(key, "")
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name + ".golden"
	got = strings.ReplaceAll(got, "\x1b[", "^") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it with 'go test -update' and git diff. Got:\n%s", path, got)
	}
}

// check holds a frame against its size.
func check(t *testing.T, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != height {
		t.Errorf("%dx%d: %d lines", width, height, len(lines))
	}
	for _, line := range lines {
		if w := uniseg.StringWidth(line); w > width {
			t.Errorf("%dx%d: a line is %d wide: %q", width, height, w, line)
		}
	}
}

func TestFrames(t *testing.T) {
	for name, tc := range map[string]struct {
		until int
		keys  []string
		then  func(*Model)
	}{
		"first":        {until: 0},
		"dependencies": {until: 3},
		"services":     {until: 3, keys: []string{"tab"}},
		"estate":       {until: 3, keys: []string{"3"}},
		"all":          {until: 3, keys: []string{"a", "s", "r", "down", "down"}},
		"filter":       {until: 3, keys: []string{"/REDIS"}},
		"nothing":      {until: 3, keys: []string{"/zzz", "enter"}},
		"details":      {until: 3, keys: []string{"enter"}, then: client},
		"service":      {until: 3, keys: []string{"2", "end", "enter"}},
		"incident":     {until: 3, keys: []string{"3", "enter"}},
		"help":         {until: 3, keys: []string{"?"}},
		"paused":       {until: 3, keys: []string{"space"}, then: func(m *Model) { m.Take(story(9)) }},
		"old": {until: 3, then: func(m *Model) {
			m.Fail(noon.Add(15*time.Second), "cannot reach Cassini at \x1b[2J: connection refused\nreally")
		}},
		"unreachable": {until: -1, then: func(m *Model) { m.Fail(noon, "cannot reach Cassini") }},
		"ended":       {until: 3, then: ended},
		"stale":       {until: 3, then: func(m *Model) { p := story(4); p.Stale = "warning: counters may be old: db-3: no answer"; m.Take(p) }},
	} {
		t.Run(name, func(t *testing.T) {
			var both []string
			for _, size := range [][2]int{{80, 24}, {140, 40}} {
				m := told(size[0], size[1], tc.until, tc.keys...)
				if tc.then != nil {
					tc.then(m)
				}
				frame := m.Frame()
				check(t, frame, size[0], size[1])
				both = append(both, frame)
			}
			golden(t, name, strings.Join(both, "\n"+strings.Repeat("=", 140)+"\n"))
		})
	}
}

// client brings the node that details of a dependency want.
func client(m *Model) {
	p := story(4)
	p.Client = &model.Node{ID: m.Wants(), Attrs: model.Attrs{"cmdline": []any{"nginx", "-g", "daemon off;"}, "uid": "www", "gid": "www", "cwd": "/srv", "unit": "nginx.service"}}
	m.Take(p)
	m.Take(story(5)) // that was asked for before
}

// ended is a picture in which redis has ended and its dependency is gone.
func ended(m *Model) {
	p := story(4)
	gone := p.At
	p.Services[2].State, p.Services[2].Ended = model.StateEnded, &gone
	p.Dependencies = p.Dependencies[:4]
	m.Take(p)
}

func TestColours(t *testing.T) {
	m := New(Config{Address: "x", Interval: time.Second, Zone: time.UTC, Color: true})
	m.Resize(100, 24)
	for second := range 4 {
		m.Take(story(second))
	}
	golden(t, "colours", m.Frame())
}

func TestText(t *testing.T) {
	m := told(80, 24, 3)
	m.Limit(0)
	golden(t, "text", m.Frame())
}

func TestWhatEndsFades(t *testing.T) {
	m := told(140, 40, 3)
	ended(m)
	if n := len(m.views[0].rows); n != 4 {
		t.Errorf("%d rows of dependencies, want the one that is gone too", n)
	}
	for second := 5; second < 20; second++ {
		p := story(second)
		p.Services, p.Dependencies = p.Services[:2], p.Dependencies[:4]
		m.Take(p)
	}
	if strings.Contains(m.Frame(), "redis:") || len(m.dependencies) != 4 || len(m.services) != 2 {
		t.Errorf("still there:\n%s", m.Frame())
	}
}

func TestHostile(t *testing.T) {
	names := []string{"\x1b[2J\x1b]0;owned\a\r\n\t", strings.Repeat("long", 3000), "漢字かな混じり文字列のとても長い名前です", "👩‍👩‍👧‍👦🇩🇪e\u0301\u0301\u0301", "\u202egnp.exe", "\xff\xfe", "", strings.Repeat("\u0301", 300)}
	for width := 1; width < 170; width += 13 {
		for height := 1; height < 45; height += 9 {
			m := told(width, height, 3)
			p := story(4)
			for _, n := range names {
				p.Services = append(p.Services, model.Service{ID: "service:" + n, State: n, Process: model.Process{Cmdline: []string{n, n}, UID: n, Exe: n, Cwd: n}})
				p.Dependencies = append(p.Dependencies, model.DependencyView{ID: n, Proto: n, Client: model.Party{ID: n, Exe: n}, Server: model.Party{ID: n}})
				p.Hosts = append(p.Hosts, model.HostLiveness{Host: n, State: n, Zone: n, WatchedBy: names})
				p.Incidents = append(p.Incidents, model.Incident{ID: n, Kind: model.VerdictKind(n), State: n, Summary: n, Subjects: names})
			}
			p.Stale = "counters\x1b[2J"
			m.Take(p)
			m.Heard(model.Event{Kind: names[0], Summary: names[1]})
			for _, view := range []string{"1", "2", "3"} {
				press(m, view)
				for range 10 {
					press(m, "down")
					check(t, m.Frame(), width, height)
					press(m, "enter")
					frame := m.Frame()
					check(t, frame, width, height)
					if strings.ContainsAny(frame, "\x1b\r\t\a\u202e") {
						t.Fatalf("control characters: %q", frame)
					}
					press(m, "esc")
				}
			}
			press(m, "/"+names[2]+names[3], "enter")
			check(t, m.Frame(), width, height)
		}
	}
}

func BenchmarkPicture(b *testing.B) {
	m := told(140, 40, 0)
	p := story(0)
	for i := range 10_000 {
		d := dep("process:web-17/usr/bin/client-of-some-length", "service:db-3/postgres:5432", uint16(i), model.Counters{Connections: uint64(i)})
		d.ID += string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		p.Dependencies = append(p.Dependencies, d)
	}
	for b.Loop() {
		p.At = p.At.Add(time.Second)
		m.Take(p)
		m.Frame()
	}
}
