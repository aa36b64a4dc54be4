package estate

import "testing"

// TestArrivals sees that every host arrives once, that nobody tells before it has, and that
// as many documents come as of the same estate in another order.
func TestArrivals(t *testing.T) {
	e := Estate{Hosts: 3000, Seed: 1}
	here := make(map[string]bool)
	documents, want := 0, 0
	for a, err := range e.Arrivals() {
		if err != nil {
			t.Fatal(err)
		}
		host := a.Documents[0].Host
		if a.First && (here[host] || host != e.Host(a.Host)) || !a.First && !here[host] {
			t.Fatalf("%s, host %d: first %v, was here %v", host, a.Host, a.First, here[host])
		}
		here[host] = true
		for _, d := range a.Documents {
			if documents++; d.Host != host {
				t.Fatalf("%s brings a document of %s", host, d.Host)
			}
		}
	}
	for range e.Documents() {
		want++
	}
	if len(here) != e.Hosts || documents < want*99/100 || documents > want*101/100 {
		t.Errorf("%d hosts, %d documents, want %d and about %d", len(here), documents, e.Hosts, want)
	}
	for range e.Arrivals() {
		break // a walk may be left
	}
}
