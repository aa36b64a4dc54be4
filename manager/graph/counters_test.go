package graph

import (
	"testing"
	"time"

	"cassini/model"
)

func TestCountersAddUpOverRuns(t *testing.T) {
	w := newWorld(t)
	d := w.dep(model.Out, "/curl", "10.0.0.1", "10.0.0.2", 80, model.Counters{Connections: 10, Adopted: 2, Open: 3, Closed: 9, RTTMicros: 100, BytesSent: 1000})
	put := func() { w.putDep("web", d) }
	put()
	d.Connections, d.Closed = 12, 10
	put()
	first := d
	d.CountingSince = t0.Add(time.Hour)
	d.FirstSeen, d.LastSeen = t0.Add(time.Hour), t0.Add(2*time.Hour)
	d.Counters = model.Counters{Connections: 5, Adopted: 3, Open: 4, Closed: 30, RTTMicros: 300, BytesSent: 500}
	put()
	w.putDep("web", first) // a batch that the agent sends again
	put()
	list, _ := w.Dependencies(DependencyFilter{})
	got := list[0]
	if got.Connections != 12+2+5 || got.Open != 4 || got.BytesSent != 1500 || got.Closed != 40 || got.RTTMicros != (100*10+300*34)/44 {
		t.Errorf("got %+v", got.Counters)
	}
	if got.FirstSeen.After(t0.Add(time.Minute)) || !got.LastSeen.Equal(t0.Add(2*time.Hour)) {
		t.Errorf("seen from %v to %v", got.FirstSeen, got.LastSeen)
	}
}

// A connection that outlives runs of the agent counts once, with what it moved while
// no agent looked.
func TestTrafficAddsUpOverRuns(t *testing.T) {
	open := func(sent, before uint64) model.Counters {
		return model.Counters{Adopted: 1, Open: 1, BytesSent: sent, OpenTraffic: model.Traffic{BytesSent: sent}, AdoptedTraffic: model.Traffic{BytesSent: before}}
	}
	first := model.Counters{Connections: 1, Open: 1, BytesSent: 100, OpenTraffic: model.Traffic{BytesSent: 100}}
	for _, c := range []struct {
		name string
		runs []model.Counters // the last document of each
		want uint64
	}{
		{"one run", []model.Counters{first}, 100},
		{"one run, older connections", []model.Counters{open(100, 70)}, 100},
		{"nothing moved between runs", []model.Counters{first, open(130, 100)}, 130},
		{"something did", []model.Counters{first, open(130, 120)}, 130},
		{"three runs", []model.Counters{first, open(130, 120), open(190, 150)}, 190},
		{"another was there that closed unseen", []model.Counters{{Connections: 2, Open: 2, BytesSent: 100, OpenTraffic: model.Traffic{BytesSent: 100}}, open(80, 60)}, 120},
		{"another was there that had closed", []model.Counters{{Connections: 2, Open: 1, Closed: 1, BytesSent: 150, OpenTraffic: model.Traffic{BytesSent: 100}}, open(130, 120)}, 180},
		{"told by an agent that knew closed ones only", []model.Counters{{Connections: 2, Open: 1, Closed: 1, BytesSent: 50}, open(130, 120)}, 180},
		{"it closes in the second run", []model.Counters{first, {Adopted: 1, Closed: 1, BytesSent: 140, AdoptedTraffic: model.Traffic{BytesSent: 100}}}, 140},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			for i, counters := range c.runs {
				d := w.dep(model.Out, "/curl", "10.0.0.1", "10.0.0.2", 80, counters)
				d.CountingSince = t0.Add(time.Duration(i) * time.Hour)
				w.putDep("web", d)
			}
			list, _ := w.Dependencies(DependencyFilter{})
			if list[0].BytesSent != c.want {
				t.Errorf("%d bytes, want %d", list[0].BytesSent, c.want)
			}
		})
	}
}

func TestDocumentsOfOnePairSumUp(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.out("web", "/curl", "127.0.0.1", "127.0.0.1", 80, n(1))
	d := w.dep(model.Out, "/curl", "::1", "::1", 80, n(2))
	d.PID = 4711
	w.listen("web", "/nginx", "::", 80)
	w.putDep("web", d)
	list, _ := w.Dependencies(DependencyFilter{})
	if len(list) != 1 || list[0].Connections != 3 || list[0].Client.PID != 4711 || list[0].Client.Addr.String() != "::1" {
		t.Errorf("got %+v", list)
	}
}

func TestGoneDependencyGoes(t *testing.T) {
	w := newWorld(t)
	d := w.dep(model.Out, "/curl", "10.0.0.1", "10.0.0.2", 80, n(1))
	w.putDep("web", d)
	w.put(model.Name{Host: "web", Package: model.PackageDependencies, Key: d.Key()}, nil)
	w.expect()
	if n := w.left(); n != 0 {
		t.Errorf("%d left behind", n)
	}
}

func TestIdleDependenciesAreForgotten(t *testing.T) {
	w := newWorld(t)
	w.limits.Dependencies = 100
	for i := range 150 {
		w.out("web", "/curl", "10.0.0.1", "10.0.0.2", uint16(1000+i), n(1))
	}
	list, _ := w.Dependencies(DependencyFilter{})
	if s := w.Stats(); len(list) > 100 || len(list) < 95 || s.Forgotten != uint64(150-len(list)) {
		t.Errorf("%d left, stats %+v", len(list), s)
	}
	if list[0].Port < 1040 {
		t.Errorf("kept %d, which was idle for longest", list[0].Port)
	}
}

func histogram(low, n uint64) model.Histogram {
	return model.MakeHistogram(func(yield func(model.Bucket, uint64) bool) { yield(model.Bucket{Low: low, High: 2 * low}, n) })
}

// Histograms add up over runs of the agent and over documents; those of open connections
// are told anew by each run.
func TestHistogramsAddUpOverRuns(t *testing.T) {
	w := newWorld(t)
	d := w.dep(model.Out, "/curl", "10.0.0.1", "10.0.0.2", 80, model.Counters{
		Connections: 4, Open: 1, RTTs: histogram(64, 3), Lifetimes: histogram(1024, 3), OpenRTTs: histogram(64, 1), OpenAges: histogram(2048, 1),
	})
	w.putDep("web", d)
	d.CountingSince = t0.Add(time.Hour)
	d.Counters = model.Counters{Adopted: 1, Open: 1, OpenRTTs: histogram(128, 1)}
	w.putDep("web", d)
	d.Counters = model.Counters{Adopted: 1, Closed: 1, RTTs: histogram(128, 1)}
	w.putDep("web", d)
	w.out("web", "/curl", "10.0.0.3", "10.0.0.2", 80, model.Counters{Connections: 1, RTTs: histogram(64, 5), Lifetimes: histogram(1<<20, 5)})
	list, _ := w.Dependencies(DependencyFilter{})
	got := list[0]
	if want := histogram(64, 8).Plus(histogram(128, 1)); got.RTTs != want || got.OpenRTTs != "" {
		t.Errorf("round-trip times %q and %q", got.RTTs, got.OpenRTTs)
	}
	if want := histogram(1024, 3).Plus(histogram(1<<20, 5)); got.Lifetimes != want || got.OpenAges != "" {
		t.Errorf("lifetimes %q and %q", got.Lifetimes, got.OpenAges)
	}
	if got.Quantiles != model.QuantilesOf(&got.Counters) || got.RTTP50Micros < 64 || got.LifetimeP99Micros < 1<<20 {
		t.Errorf("quantiles %+v", got.Quantiles)
	}
}
