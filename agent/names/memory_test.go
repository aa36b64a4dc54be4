package names

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/agent/names/answer"
	"cassini/model"
)

// remembering is a memory and what it told: "ADDR=NAME,NAME".
func remembering() (*memory, *[]string) {
	var told []string
	return newMemory(func(a model.Asked, _ time.Time) { told = append(told, a.Key()+"="+names(a)) }), &told
}

func names(a model.Asked) string {
	var list []string
	for _, n := range a.Names {
		list = append(list, n.Name)
	}
	return strings.Join(list, ",")
}

func heard(m *memory, name, addr string, now time.Time) {
	m.hear("", "10.0.0.53", answer.Answer{Name: name, Canonical: name, Addrs: []netip.Addr{ip(addr)}, TTL: 60}, now)
}

// An address is told with its names once both are known, in either order.
func TestMemory(t *testing.T) {
	m, told := remembering()
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(*told, want) {
			t.Errorf("told %q, want %q", *told, want)
		}
		*told = nil
	}
	heard(m, "a.example", "192.0.2.1", noon)
	expect()
	m.dial(at{"", ip("192.0.2.1")}, noon)
	expect("192.0.2.1=a.example")
	m.dial(at{"blue", ip("192.0.2.1")}, noon) // another namespace has other names
	m.dial(at{"", ip("192.0.2.2")}, noon)
	expect()
	heard(m, "b.example", "192.0.2.2", noon)
	expect("192.0.2.2=b.example")
	for i := range 100 { // it is asked again, and by another name: nothing moves
		heard(m, "b.example", "192.0.2.2", noon.Add(time.Duration(i)*time.Minute))
	}
	expect()
	heard(m, "c.example", "192.0.2.2", noon)
	expect("192.0.2.2=c.example,b.example")
	heard(m, "b.example", "192.0.2.2", noon.Add(time.Minute))
	expect()
	heard(m, "b.example", "192.0.2.2", noon.Add(2*time.Hour)) // nobody asks for the other any more
	expect("192.0.2.2=b.example,c.example")
	for i := range 5 {
		heard(m, fmt.Sprintf("%d.example", i), "192.0.2.2", noon.Add(3*time.Hour))
	}
	if got := (*told)[4]; got != "192.0.2.2=4.example,3.example,2.example,1.example" {
		t.Errorf("told %q", got)
	}
	if m.named != 2 {
		t.Errorf("%d named", m.named)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m, told := remembering()
	m.heard.limit, m.dialled.limit = 20, 10
	for i := range 100 {
		addr := fmt.Sprintf("192.0.2.%d", i)
		heard(m, "x.example", addr, noon)
		m.dial(at{"", ip(addr)}, noon)
	}
	if len(m.heard.byKey) != 20 || m.heard.order.Len() != 20 || len(m.dialled.byKey) != 10 || m.named != 10 {
		t.Errorf("%d heard, %d dialled, %d named", len(m.heard.byKey), len(m.dialled.byKey), m.named)
	}
	if m.forgotten["heard"] != 80 || m.forgotten["dialled"] != 90 || !slices.Contains(*told, "192.0.2.0=") {
		t.Errorf("forgotten %v, told %q", m.forgotten, *told)
	}
}
