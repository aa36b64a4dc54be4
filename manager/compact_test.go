package manager

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// TestTidyCompacts lets a log become large and then mostly unused: the manager gives the space
// back by itself, once, and loses nothing.
func TestTidyCompacts(t *testing.T) {
	clock := &aging{}
	m := start(t, t.TempDir(), func(c *Config) { c.Retention.MaxAge, c.Now = time.Hour, clock.now })
	body, err := json.Marshal(strings.Repeat("x", 900<<10))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 80 {
		m.accept(model.Document{Name: model.Name{Host: "h", Package: "notes", Key: "one"}, Time: clock.now(), Body: body},
			listener("h", "nginx", uint16(1000+i), model.StateListening))
	}
	large := m.StoreStats()
	clock.advance(3 * time.Hour)
	for i := range 20 {
		m.accept(model.Document{Name: model.Name{Host: "h", Package: "notes", Key: "one"}, Time: clock.now(), Body: []byte(fmt.Sprint(i))})
	}
	for range 2 {
		if err := m.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s := m.StoreStats()
	if s.Compacted != 1 || s.FileBytes*2 > large.FileBytes || s.Reclaimed == 0 {
		t.Errorf("before %+v, after %+v", large, s)
	}
	if n := len(m.names("h")); n != 81 {
		t.Errorf("%d names, want 81", n)
	}
	m.accept(listener("h", "nginx", 80, model.StateListening))
	if n := len(m.names("h")); n != 82 {
		t.Errorf("%d names, want 82", n)
	}
}
