package guests

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cassini/model"
)

// asks sends a request on a connection, and says whether it was let through to next.
func (d *door) asks(c net.Conn, next http.Handler) (ok bool) {
	defer func() {
		cause := recover()
		if err, _ := cause.(error); cause != nil && !errors.Is(err, http.ErrAbortHandler) {
			panic(cause)
		}
	}()
	r := httptest.NewRequestWithContext(Context(d.t.Context(), c), "POST", "/api/v1/enroll", nil)
	d.Handler(next).ServeHTTP(httptest.NewRecorder(), r)
	return true
}

// TestRequests has more requests under way than guests may have: those are broken off, of others none.
func TestRequests(t *testing.T) {
	d := newDoor(t, 10, 10)
	d.maxRequestsEach, d.maxRequestsAll = 2, 3
	_, c := d.comes("10.0.0.1:1")
	_, other := d.comes("10.0.0.2:1")
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	within := func(c net.Conn, do func(ctx context.Context)) {
		if !d.asks(c, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { do(r.Context()) })) {
			t.Error("broken off, and there was room")
		}
	}
	within(c, func(context.Context) {
		within(c, func(second context.Context) {
			if d.asks(c, nothing) {
				t.Error("a third request of one address was let through")
			}
			within(other, func(context.Context) {
				if d.asks(other, nothing) {
					t.Error("a fourth of all was let through")
				}
				Known(second) // neither it nor its connection counts any more
				if !d.asks(other, nothing) {
					t.Error("broken off, and another has made room")
				}
				for range 5 {
					within(c, Known)
				}
			})
		})
	})
	if got := d.Stats(); got != (model.GuestStats{Open: 1, BrokenOff: 2}) || d.underway != 0 || len(d.requests) != 0 {
		t.Errorf("%+v; under way %d, by address %v", got, d.underway, d.requests)
	}
	if got := d.log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "10.0.0.1") || !strings.Contains(got, "broken_off=1") {
		t.Errorf("logged %q", got)
	}
	if d.asks(&far{}, nothing) != true {
		t.Error("a connection that is not bounded was")
	}
}
