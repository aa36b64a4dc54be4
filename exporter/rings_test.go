package exporter

import (
	"math"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"cassini/model"
)

func ringFixture() *model.RingStats {
	return &model.RingStats{
		Watch: "kernel", Incarnation: 52, Pinging: true, Reflecting: true, Reflected: 101, Limited: 102,
		Rings: []model.RingPlace{{Ring: "subnet:10.77.1.0/24", Epoch: 53, Profile: model.StandardProfile()}},
		Links: []model.RingLink{
			{Ring: "subnet:10.77.1.0/24", From: "b", Heartbeats: 54, Expiries: 55, Late: 56, Silent: 570 * time.Millisecond,
				Spacing: places16(0, 1, 10, 40, 11, 4, 15, 1), Lateness: places16(0, 50, 13, 4, 15, 1)},
			{Ring: "subnet:10.77.1.0/24", From: "c\xff", Heartbeats: 1},
			{Ring: "subnet:10.77.1.0/24", From: "c\xfe", Heartbeats: 2, Silent: time.Second, Spacing: places16(2, 3)},
		},
		Totals: model.RingTotals{
			Suspicions: 58, Refuted: 59, Doubted: 60, Stale: 61, Bridges: 62, Notices: 63,
			Verdicts: map[model.VerdictKind]uint64{model.VerdictCrashed: 64, model.VerdictCorrected: 65},
		},
		Sent: 66, Failed: 67, Received: map[string]uint64{"heartbeat": 68, "forged": 69}, Control: map[string]uint64{"taken": 70},
	}
}

// places16 has n at place at, for each pair.
func places16(pairs ...uint64) []uint64 {
	counts := make([]uint64, places)
	for i := 0; i < len(pairs); i += 2 {
		counts[pairs[i]] = pairs[i+1]
	}
	return counts
}

func keeperFixture() *model.RingKeeperStats {
	member := func(host string) model.RingMember { return model.RingMember{Host: host, Incarnation: 1} }
	death := func(of string, kind model.VerdictKind, silent time.Duration) model.Verdict {
		return model.Verdict{Kind: kind, Subject: member(of), Evidence: model.Evidence{Silent: silent}}
	}
	return &model.RingKeeperStats{
		Rings: []model.RingHealth{
			{Ring: model.Ring{ID: "subnet:10.77.1.0/24", Epoch: 71, Members: []model.RingMember{member("a"), member("b")}}, State: model.RingWhole},
			{Ring: model.Ring{ID: "top/1", Epoch: 72, Level: 1, Members: []model.RingMember{member("a")}}, State: model.RingTorn, Unwell: []string{"a"}, Unacknowledged: []string{"a"}},
		},
		Hosts: []model.HostLiveness{
			{Host: "a", State: "up", Watch: "kernel", WatchedBy: []string{"b"}}, {Host: "b", State: "up", Watch: "user"}, {Host: "c", State: "crashed", Watch: "user"},
		},
		Pending: 73, Repairs: 74, Rotations: 81, Untold: 82, Instructions: 75, Stale: 76, Inquiries: 77, Sent: 78, Failed: 79, Received: map[string]uint64{"taken": 80},
		Verdicts: map[model.VerdictKind]uint64{model.VerdictEnded: 81},
		Incidents: []model.Incident{
			{Kind: model.VerdictCrashed, Severity: model.SeverityCritical, State: model.IncidentOpen, Reports: []model.Verdict{
				death("c", model.VerdictCrashed, 4900*time.Millisecond), death("c", model.VerdictCrashed, 6*time.Second), death("d", model.VerdictCrashed, 5*time.Second),
			}},
			{Kind: model.VerdictEnded, Severity: model.SeverityWarning, State: model.IncidentClosed, Reports: []model.Verdict{
				death("e", model.VerdictLink, 3*time.Second), death("e", model.VerdictEnded, 3100*time.Millisecond), death("e", model.VerdictCorrected, time.Second),
			}},
			{Kind: model.VerdictStopped, Severity: model.SeverityInfo, State: model.IncidentClosed, Reports: []model.Verdict{death("f", model.VerdictStopped, 0)}},
		},
	}
}

// native finds a histogram as a server sees it that takes native ones.
func native(t *testing.T, src Sources, name, label string) *dto.Histogram {
	t.Helper()
	families, err := New(src, Config{}).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || strings.Contains(m.String(), label)) {
				return m.GetHistogram()
			}
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// counts are the native buckets by their upper bound.
func counts(h *dto.Histogram) map[float64]int64 {
	by := make(map[float64]int64)
	var at int32
	var n int64
	delta := 0
	for _, s := range h.GetPositiveSpan() {
		at += s.GetOffset()
		for range s.GetLength() {
			n += h.GetPositiveDelta()[delta]
			if n != 0 {
				by[math.Exp2(float64(at)/math.Exp2(float64(h.GetSchema())))] = n
			}
			delta++
			at++
		}
	}
	return by
}

func TestLinksAsNativeHistograms(t *testing.T) {
	spacing := native(t, fixture(), "cassini_heartbeat_spacing_seconds", `"b"`)
	want := map[float64]int64{1: 40, 2: 4, 32: 1}
	if got := counts(spacing); len(got) != len(want) || got[1] != 40 || got[2] != 4 || got[32] != 1 {
		t.Errorf("spacing is %v, want %v", got, want)
	}
	if spacing.GetZeroCount() != 1 || spacing.GetZeroThreshold() != 1.0/1024 || spacing.GetSampleCount() != 46 || spacing.CreatedTimestamp != nil {
		t.Errorf("spacing is %v", spacing)
	}
	lateness := native(t, fixture(), "cassini_heartbeat_lateness_seconds", `"b"`)
	if got := counts(lateness); got[0.5] != 4 || got[2] != 1 || lateness.GetZeroCount() != 50 || lateness.GetZeroThreshold() != 1.0/16384 {
		t.Errorf("lateness is %v", lateness)
	}
}

func TestDetectionIsOfFirstReports(t *testing.T) {
	h := native(t, fixture(), "cassini_detection_seconds", "")
	if h.GetSampleCount() != 3 || h.GetSampleSum() != 13 {
		t.Errorf("want the first report of each of three deaths, got %v", h)
	}
	for bound, n := range counts(h) {
		if width := math.Exp2(1.0 / 8); n != 1 && n != 2 || bound < 3.1 || bound > 5*width {
			t.Errorf("%d at %v", n, bound)
		}
	}
}

func TestIndex(t *testing.T) {
	for _, tc := range []struct {
		v      float64
		schema int32
		want   int
	}{{1, 0, 0}, {1.01, 0, 1}, {2, 0, 1}, {0.5, 0, -1}, {0.51, 0, 0}, {4, 3, 16}, {4.1, 3, 17}} {
		if got := index(tc.v, tc.schema); got != tc.want {
			t.Errorf("%v at schema %d: bucket %d, want %d", tc.v, tc.schema, got, tc.want)
		}
	}
}

func TestNothingObserved(t *testing.T) {
	src := Sources{Keeper: func() *model.RingKeeperStats { return &model.RingKeeperStats{} }, Rings: func() *model.RingStats {
		return &model.RingStats{Links: []model.RingLink{{Ring: "r", From: "a"}}}
	}}
	if h := native(t, src, "cassini_detection_seconds", ""); h.GetSampleCount() != 0 || h.GetZeroThreshold() == 0 {
		t.Errorf("an empty histogram must still be a native one: %v", h)
	}
	if h := native(t, src, "cassini_heartbeat_spacing_seconds", ""); h.GetSampleCount() != 0 {
		t.Errorf("counts without heartbeats: %v", h)
	}
}

func TestWorstRingsFirst(t *testing.T) {
	ring := func(id model.RingID, state string) model.RingHealth {
		return model.RingHealth{Ring: model.Ring{ID: id}, State: state}
	}
	got := worst([]model.RingHealth{ring("d", "whole"), ring("c", "whole"), ring("b", "mending"), ring("a\xff", "torn"), ring("a\xfe", "torn")}, 3)
	var ids []string
	for _, r := range got {
		ids = append(ids, string(r.ID))
	}
	if strings.Join(ids, " ") != "a\uFFFD b c" {
		t.Errorf("got %q", ids)
	}
}

func TestLinksAreBounded(t *testing.T) {
	var links []model.RingLink
	for i := range 40 {
		links = append(links, model.RingLink{Ring: "r", From: string(rune('A' + i))})
	}
	src := Sources{Rings: func() *model.RingStats { return &model.RingStats{Links: links} }}
	scrape := string(scrapeOf(t, New(src, Config{})))
	if n := strings.Count(scrape, "\ncassini_heartbeats_total{"); n != DefaultMaxLinks || !strings.Contains(scrape, "cassini_heartbeat_links_hidden 8") {
		t.Errorf("%d links are shown", n)
	}
}

func TestUnwatched(t *testing.T) {
	scrape := string(scrapeOf(t, New(fixture(), Config{})))
	for _, want := range []string{"cassini_hosts_unwatched 1", `cassini_hosts{state="crashed"} 1`, `cassini_hosts_watching{watch="user"} 1`} {
		if !strings.Contains(scrape, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}
