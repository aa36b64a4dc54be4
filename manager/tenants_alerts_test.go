package manager

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/alerts"
)

// hooks are webhooks: what each path was told.
type hooks struct {
	mu   sync.Mutex
	told map[string][]string
}

func (h *hooks) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told[r.URL.Path] = append(h.told[r.URL.Path], string(raw))
}

// subjects are those of incidents that a path was told of.
func (h *hooks) subjects(t *testing.T, path string) (list []string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, raw := range h.told[path] {
		var m alerts.Message
		if err := json.Unmarshal([]byte(raw), &m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m.Incident.Subjects...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestReceiversOfTenants lets a host of each tenant, and one of none, die: each receiver is
// told of its own alone, and of nothing that its tenant does not see.
func TestReceiversOfTenants(t *testing.T) {
	h := &hooks{told: make(map[string][]string)}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	e := newEstate(t, func(c *Config) {
		c.Alerts.Webhooks = []string{server.URL + "/all", "red=" + server.URL + "/red", "blue=" + server.URL + "/blue"}
	})
	e.verdict("blue-1", "red-1", 1)
	e.verdict("blue-1", "blue-2", 2)
	e.verdict("blue-1", "core-1", 3)
	want := map[string]string{"/all": "blue-2 core-1 red-1", "/red": "red-1", "/blue": "blue-2"}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(20 * time.Millisecond) {
		done := true
		for path, hosts := range want {
			done = done && strings.Join(h.subjects(t, path), " ") == hosts
		}
		if done {
			break
		}
	}
	for path, hosts := range want {
		if got := strings.Join(h.subjects(t, path), " "); got != hosts {
			t.Errorf("%s was told of %q, want %q", path, got, hosts)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, raw := range h.told["/red"] {
		for _, secret := range secrets {
			if strings.Contains(raw, secret) {
				t.Errorf("red was told %q: %s", secret, raw)
			}
		}
		if !strings.Contains(raw, `"tenant":"red"`) {
			t.Errorf("whose receiver it is, is not said: %s", raw)
		}
	}
	for _, r := range e.AlertStats() {
		if name, _, ok := strings.Cut(r.Name, ":"); (r.Tenant != "") != (ok && name == r.Tenant) {
			t.Errorf("%+v", r)
		}
	}
}
