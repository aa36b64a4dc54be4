package bolt

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

var groupTime = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

// TestGroupIsInOrderOfHosts commits requests of several hosts at once: those of one host stay as they came.
func TestGroupIsInOrderOfHosts(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer checked{s, t}.Close()
	var group []*request
	for i, host := range []string{"b", "c", "a", "b", "a", "b"} {
		group = append(group, &request{asked: true, docs: []model.Document{{Name: model.Name{Host: host, Package: "os", Key: fmt.Sprint(i)}, Time: groupTime, Body: json.RawMessage(`1`)}}})
	}
	asked := slices.Clone(group)
	s.writing.Lock()
	s.commit(group)
	s.writing.Unlock()
	var got []string
	told := map[store.Key]string{}
	for _, r := range asked {
		told[r.keys[0]] = r.docs[0].Host + r.docs[0].Key
	}
	for e, err := range s.Range(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Document.Host+e.Document.Key)
		if told[e.Key] != got[len(got)-1] {
			t.Errorf("%s was told the key of %s", told[e.Key], got[len(got)-1])
		}
	}
	if want := []string{"a2", "a4", "b0", "b3", "b5", "c1"}; !slices.Equal(got, want) {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

// BenchmarkGroup commits what 128 hosts bring at once, the last by name first.
func BenchmarkGroup(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r := rand.New(rand.NewPCG(1, 2))
	body := json.RawMessage(`{"text":"` + strings.Repeat("x", 500) + `"}`)
	b.ReportAllocs()
	next := 1_000_000
	for b.Loop() {
		group := make([]*request, 128)
		for i := range group {
			group[i] = &request{docs: make([]model.Document, 20)}
			next--
			host := fmt.Sprintf("host-%07d", next)
			for at := range group[i].docs {
				name := model.Name{Host: host, Package: model.PackageDependencies, Key: fmt.Sprintf("out/tcp/10.0.%d.%d", r.IntN(256), at)}
				group[i].docs[at] = model.Document{Name: name, Time: groupTime, Body: body}
			}
		}
		s.writing.Lock()
		s.commit(group)
		s.writing.Unlock()
	}
}
