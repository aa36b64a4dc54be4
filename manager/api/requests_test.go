package api

import (
	"fmt"
	"testing"
)

func TestRequestsAreCounted(t *testing.T) {
	b := filled(t)
	requests := &Requests{}
	cfg := config(b)
	cfg.Requests = requests
	h := New(cfg)
	do(h, "GET", "/api/v1/services", "")
	do(h, "GET", "/api/v1/services?host=x", "")
	do(h, "GET", "/api/v1/services?state=nonsense", "")
	do(h, "GET", "/api/v1/impact?of=host:nobody", "")
	do(h, "GET", "/no/such/place", "")
	var got []string
	for _, r := range requests.Stats() {
		if r.Seconds < 0 {
			t.Errorf("%+v", r)
		}
		got = append(got, fmt.Sprint(r.Route, " ", r.Status, " ", r.Count))
	}
	if fmt.Sprint(got) != "[GET /api/v1/impact 404 1 GET /api/v1/services 200 2 GET /api/v1/services 400 1]" {
		t.Errorf("%v", got)
	}
}
