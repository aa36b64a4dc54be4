package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"cassini/model"
	"cassini/model/delivery"
)

// doorman is a manager that wants to know what machine speaks.
type doorman struct {
	mu       sync.Mutex
	answer   int // to who says what machine it is
	known    bool
	got      []string
	machines []model.Machine
}

func (d *doorman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set(delivery.Header, delivery.Ours().String())
	d.got = append(d.got, r.URL.Path+" "+r.Header.Get(model.MarkHeader))
	switch {
	case r.URL.Path == "/-/healthy":
	case r.URL.Path == "/api/v1/enroll/machine":
		var body struct{ Machine model.Machine }
		_ = json.NewDecoder(r.Body).Decode(&body)
		d.machines = append(d.machines, body.Machine)
		d.known = d.answer == http.StatusOK
		w.WriteHeader(d.answer)
	case !d.known && r.Header.Get(model.MarkHeader) != "":
		w.WriteHeader(http.StatusPreconditionRequired)
	default:
		_, _ = w.Write([]byte(`{}`))
	}
}

// TestSpeaksAs: who is asked what machine this is says it, and what was asked is asked again; who
// is another machine hears so, and nothing is lost.
func TestSpeaksAs(t *testing.T) {
	for status, want := range map[int]error{http.StatusOK: nil, http.StatusConflict: ErrAnother, http.StatusForbidden: ErrShutOut, http.StatusNotFound: ErrNotServed} {
		d := &doorman{answer: status}
		server := httptest.NewServer(d)
		s, refused := NewHTTPSink(server.URL, ""), 0
		on := model.Machine{MachineID: "m", BootID: "b", DMI: "d"}
		s.As(func() model.Machine { return on }, func(error) { refused++ })
		batch := model.Batch{Host: "web-17", First: model.Position{Incarnation: 1, Sequence: 1}, Documents: []model.Document{{}}}
		_, err := s.Deliver(t.Context(), batch)
		_, errJoin := s.Join(t.Context(), model.Join{RingMember: model.RingMember{Host: "web-17"}})
		for _, err := range []error{err, errJoin} {
			if !errors.Is(err, want) || (err == nil) != (want == nil) || errors.Is(err, model.ErrInvalidDocument) {
				t.Errorf("%d: got %v, want %v", status, err, want)
			}
		}
		if (refused > 0) != errors.Is(want, ErrAnother) {
			t.Errorf("%d: refused is told %d times", status, refused)
		}
		if !d.machines[0].Equal(on) || slices.ContainsFunc(d.got, func(g string) bool { return !strings.HasSuffix(g, " b/d") && !strings.HasPrefix(g, "/-/healthy") }) {
			t.Errorf("%d: it was asked %q, and told of %+v", status, d.got, d.machines)
		}
		if deliveries := len(slices.DeleteFunc(slices.Clone(d.got), func(g string) bool { return g != "/api/v1/deliveries b/d" })); deliveries != map[bool]int{true: 2, false: 1}[want == nil] {
			t.Errorf("%d: delivered %d times", status, deliveries)
		}
		server.Close()
	}
}

// TestSpeaksAsNobody: a sink that was not told what machine it is of says nothing of it.
func TestSpeaksAsNobody(t *testing.T) {
	d := &doorman{}
	server := httptest.NewServer(d)
	defer server.Close()
	s := NewHTTPSink(server.URL, "")
	if _, err := s.Deliver(context.Background(), model.Batch{Host: "web-17", First: model.Position{Incarnation: 1, Sequence: 1}, Documents: []model.Document{{}}}); err != nil {
		t.Error(err)
	}
}
