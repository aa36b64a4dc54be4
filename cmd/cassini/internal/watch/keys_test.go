package watch

import (
	"strings"
	"testing"
	"time"

	"cassini/model"
)

func TestActions(t *testing.T) {
	for keys, want := range map[string]Action{
		"q": Quit, "ctrl+c": Quit, "ctrl+z": Suspend, "enter": Ask, "space": Nothing, "space space": Ask, "? q": Quit, "? x": Nothing,
		"enter q": Quit, "enter esc": Nothing, "/ q": Nothing, "/ q ctrl+c": Quit, "/ z z enter enter": Nothing, "x": Nothing, "enter ?": Nothing, "enter ? x q": Quit,
	} {
		m := told(80, 24, 3)
		var got Action
		for key := range strings.SplitSeq(keys, " ") {
			text := ""
			if len(key) == 1 {
				text = key
			}
			got = m.Key(key, text)
		}
		if got != want {
			t.Errorf("%s: got %d, want %d", keys, got, want)
		}
	}
}

// TestCursor moves over 100 rows of which 19 fit.
func TestCursor(t *testing.T) {
	m := New(Config{Interval: time.Second, Zone: time.UTC})
	m.Resize(80, 24)
	p := story(0)
	for i := range 96 {
		d := dep("process:a", "service:b", uint16(i), model.Counters{Connections: uint64(i)})
		d.ID += strings.Repeat("x", i)
		p.Dependencies = append(p.Dependencies, d)
	}
	m.Take(p)
	press(m, "a")
	for _, step := range []struct {
		key  string
		want int
	}{{"up", 0}, {"down", 1}, {"pgdown", 18}, {"j", 19}, {"end", 99}, {"down", 99}, {"k", 98}, {"pgup", 81}, {"home", 0}} {
		press(m, step.key)
		if got := m.views[0].cursor; got != step.want {
			t.Errorf("%s: cursor at %d, want %d", step.key, got, step.want)
		}
		if frame := m.Frame(); strings.Count(frame, "\n>") != 1 {
			t.Errorf("%s: the cursor is not to be seen:\n%s", step.key, frame)
		}
	}
}

// TestCursorFollows keeps the cursor on its row when others pass it.
func TestCursorFollows(t *testing.T) {
	m := told(80, 24, 3)
	press(m, "down")
	row := m.views[0].pinned
	press(m, "r")
	if got := m.views[0].rows[m.views[0].cursor].id; got != row {
		t.Errorf("the cursor is on %s, want %s", got, row)
	}
	press(m, "home", "r")
	if m.views[0].cursor != 0 {
		t.Error("at the top the cursor stays at the top")
	}
}

func TestFilter(t *testing.T) {
	m := told(80, 24, 3)
	press(m, "/Redis")
	m.Paste(":63\x1b\n")
	if len(m.views[0].rows) != 1 || len(m.views[1].rows) != 1 || m.filter != "Redis:63" {
		t.Errorf("filter %q: %d and %d rows", m.filter, len(m.views[0].rows), len(m.views[1].rows))
	}
	press(m, "backspace", "backspace", "enter")
	if m.typing || m.filter != "Redis:" {
		t.Errorf("filter %q", m.filter)
	}
	m.Take(story(4))
	if len(m.views[0].rows) != 1 {
		t.Error("a picture forgets the filter")
	}
	press(m, "esc")
	if m.filter != "" || len(m.views[0].rows) != 4 {
		t.Errorf("filter %q, %d rows", m.filter, len(m.views[0].rows))
	}
	press(m, "/"+strings.Repeat("ä", 300))
	if len(m.filter) > maxFilter {
		t.Errorf("a filter of %d bytes", len(m.filter))
	}
}

func TestPause(t *testing.T) {
	m := told(80, 24, 3, "space")
	before := m.Frame()
	m.Take(story(10))
	if !m.Paused() || m.Frame() != before {
		t.Error("the picture moves")
	}
	press(m, "space")
	m.Take(story(13))
	if r := m.dependencies[story(0).Dependencies[0].ID].rates; r.Connections != 120 {
		t.Errorf("rates over the pause: %+v", r)
	}
}

// TestReconnect loses the manager and finds it again, with counters that began anew.
func TestReconnect(t *testing.T) {
	m := told(140, 40, 5)
	m.Fail(noon.Add(8*time.Second), "connection refused")
	if frame := m.Frame(); !strings.Contains(frame, "OLD PICTURE, of 3s ago: connection refused") || !strings.Contains(frame, "nginx") {
		t.Errorf("got\n%s", frame)
	}
	m.Tick(noon.Add(10 * time.Second))
	if !strings.Contains(m.Frame(), "of 5s ago") {
		t.Error("time stands still")
	}
	p := story(1)
	p.At = noon.Add(12 * time.Second)
	m.Take(p)
	frame := m.Frame()
	if strings.Contains(frame, "OLD") || strings.Contains(frame, "/s, -") {
		t.Errorf("got\n%s", frame)
	}
	if r := m.dependencies[p.Dependencies[0].ID].rates; r.Known {
		t.Errorf("rates of counters that went back: %+v", r)
	}
}

// TestLate marks a picture after which none comes, also before anybody knows why.
func TestLate(t *testing.T) {
	m := told(80, 24, 3)
	for passed, late := range map[time.Duration]bool{4 * time.Second: false, 5 * time.Second: true} {
		m.Tick(noon.Add(3*time.Second + passed))
		if strings.Contains(m.Frame(), "OLD PICTURE, of 5s ago: still waiting for an answer") != late {
			t.Errorf("after %s:\n%s", passed, m.Frame())
		}
	}
	if press(m, "space"); strings.Contains(m.Frame(), "OLD") {
		t.Error("a pause is nobody's fault")
	}
}

func TestSorts(t *testing.T) {
	m := told(140, 40, 3)
	for range m.views[0].columns {
		for range 2 {
			press(m, "r")
			check(t, m.Frame(), 140, 40)
		}
		press(m, "s")
	}
	if m.views[0].sort != connectionsColumn {
		t.Error("s goes round")
	}
	press(m, "S")
	if m.views[0].sort != connectionsColumn-1 {
		t.Error("S goes back")
	}
}

// TestDetailsAreLeft goes from the details of a row to another view.
func TestDetailsAreLeft(t *testing.T) {
	for key, view := range map[string]int{"esc": 0, "enter": 0, "tab": 1, "shift+tab": 2, "3": 2, "down": 0} {
		m := told(80, 24, 3, "enter", "down", "down", "up", key)
		if m.shown != view || (m.details != "") != (key == "down") {
			t.Errorf("%s: view %d, details of %q", key, m.shown, m.details)
		}
		check(t, m.Frame(), 80, 24)
	}
}

func TestWants(t *testing.T) {
	m := told(80, 24, 3)
	if m.Wants() != "" {
		t.Error("nothing is wanted before details are")
	}
	if press(m, "enter"); m.Wants() != "process:web-17/usr/sbin/nginx" {
		t.Errorf("wants %q", m.Wants())
	}
}
