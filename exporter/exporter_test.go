package exporter

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"cassini/model"
)

func view(client, server string, c model.Counters) model.DependencyView {
	return model.DependencyView{Client: model.Party{ID: client}, Server: model.Party{ID: server}, Proto: "tcp", Counters: c}
}

// fixture has a figure of its own for every metric.
func fixture() Sources {
	at := time.Date(2026, 11, 20, 19, 26, 3, 500e6, time.UTC)
	return Sources{
		Capture: func() *model.CaptureStats {
			return &model.CaptureStats{
				Events:      map[string]uint64{"listen": 1, "unlisten": 2, "edge": 3},
				Drops:       map[string]uint64{"ring_full": 4, "edges_full": 0},
				Transitions: map[string]uint64{"connect": 5, "established": 6},
				Resyncs:     7, Evictions: 8, Listeners: 9, Edges: 10,
				RTTs:      map[string]model.Histogram{"client": fareFixture(), "server": ""},
				Lifetimes: map[string]model.Histogram{"client": fareFixture()},
				OpenReads: model.OpenReads{Reads: 48, Spared: 49, Took: 50 * time.Second},
				Lives:     model.LifeStats{Programs: 301, Released: 302, Forgotten: 303},
				Maps:      []model.MapFill{{Name: "edges", Used: 11, Limit: 12, Bytes: 13}, {Name: "events", Used: 14, Limit: 15}, {Name: "connections", Bytes: 44}},
				Hooks:     []model.Hook{{Fact: "tcp", Hook: "tp_btf/inet_sock_set_state", First: true}, {Fact: "udp"}},
			}
		},
		Network: func() *model.NetworkStats {
			return &model.NetworkStats{
				Net:          model.NetStats{Namespaces: 1, Interfaces: 2, Messages: 3, Malformed: 4, Resyncs: 5, Routes: 46, UnkeptRoutes: 47},
				Announced:    model.AnnounceStats{Namespaces: 1, Heard: map[string]uint64{"arp": 16, "nd": 17, "dhcp": 18}, Malformed: map[string]uint64{"arp": 19, "nd": 0, "dhcp": 0}, Known: 20, Limited: 21},
				Translations: model.TranslationStats{Namespaces: 66, Known: 67, Limit: 68, Flows: 69, Malformed: 70, Overruns: 71, Forgotten: 72},
				Strangers:    model.StrangerStats{Addresses: 14, Clients: 45, Refused: 15},
				Frames: model.FrameStats{Links: 6, Neighbors: 7, Frames: map[string]uint64{"lldp": 8, "cdp": 9}, Malformed: map[string]uint64{"lldp": 10, "cdp": 0},
					Refused: 11, Limited: 12, Lost: 13},
				Interfaces: []model.Interface{
					{Name: "eth0", Kind: "device", Address: "02:00:00:00:00:01", MTU: 1500, Up: true, Carrier: 1, CarrierChanges: 3, Speed: 1000, Duplex: "full", Driver: "e1000e"},
					{Name: "eth0", Netns: "blue", Kind: "veth", MTU: 1400},
				},
				Neighbors: []model.Neighbor{{Interface: "eth0", FirstSeen: at, Discovery: model.Discovery{
					Protocol: "lldp", SystemName: "core\xff1", Chassis: model.PortID{ID: "00:1b:fc:00:00:01"}, Port: model.PortID{ID: "Gi0/1"},
				}}},
			}
		},
		Names: func() *model.NameStats {
			return &model.NameStats{Containers: model.ContainerStats{
				Known: 52, Unknown: 53, Found: map[string]uint64{"docker socket": 54}, Failed: map[string]uint64{"unknown": 55, "slow": 0}, Forgotten: 56,
			}, DNS: model.DNSStats{Resolvers: 57, Refused: 58, Answers: 59, Malformed: 60, Lost: 61, Heard: 62, Named: 63, Forgotten: map[string]uint64{"heard": 64, "dialled": 65}}}
		},
		Outbox: func() *model.OutboxStats {
			return &model.OutboxStats{Queued: 16, Limit: 17, Spooled: 18, Accepted: 19, Retries: 20, PutOff: 66, Renumbered: 67, Dropped: map[string]uint64{"full": 21, "refused": 22}, Connected: true,
				Compared: model.ComparedStats{Compared: 401, Differed: 402, Missing: 403, Changed: 404, Withdrawn: 405, Unkept: 406, Known: 407, KnownLimit: 408, Kept: 409, KeptLimit: 410, Comparable: true}}
		},
		Sent: func() model.SentStats { return model.SentStats{Protocol: 2, Bytes: 68, WireBytes: 69} },
		Deliveries: func() model.DeliveryStats {
			return model.DeliveryStats{Underway: 70, Limit: 71, Batches: 72, Documents: 73, Known: 74, Gaps: 75, Compared: 411, Differed: 412, WireBytes: 76, Bytes: 77, Refused: map[string]uint64{model.RefusedBomb: 78}}
		},
		Rings:  func() *model.RingStats { return ringFixture() },
		Keeper: func() *model.RingKeeperStats { return keeperFixture() },
		Store: func() model.StoreStats {
			return model.StoreStats{Documents: 23, Names: 24, FileBytes: 25, FreeBytes: 26, Appended: 27, Thinned: 28, Expired: 29, ClockHeld: 42, Reread: 43, Oldest: at, Newest: at.Add(time.Hour)}
		},
		Process: func() model.ProcessStats {
			return model.ProcessStats{MemoryLimit: 52, ReloadOK: true, ReloadedAt: at, Flight: &model.FlightStats{Written: 53, Skipped: 54, Failed: 55}}
		},
		Requests: func() []model.RequestStat {
			return []model.RequestStat{{Route: "GET /api/v1/graph", Status: 200, Count: 48, Seconds: 4.9}, {Route: "POST /api/v1/query", Status: 422, Count: 50, Seconds: 51}}
		},
		Graph: func() model.GraphStats {
			return model.GraphStats{
				Namesakes: 105,
				Nodes:     map[string]int{"host": 30}, Edges: map[string]int{"runs": 31}, Services: map[string]int{"listening": 32, "ended": 33},
				Documents: 34, Rejected: map[string]uint64{"other": 35}, Forgotten: 36, Undirected: 43, Watchers: 37, Lagged: 38, Written: model.Kept{Bytes: 44, Limit: 45, Forgotten: 46},
			}
		},
		Guests:  func() *model.GuestStats { return &model.GuestStats{Open: 5, Closed: 6, TurnedAway: 7, BrokenOff: 8} },
		Tenants: func() *model.TenantStats { return &model.TenantStats{Kept: 2, Forgotten: 3, Refused: 4} },
		Audit: func() *model.AuditStats {
			return &model.AuditStats{Entries: 56, Oldest: at, Added: map[string]uint64{"done": 57, "refused": 58}, Dropped: 59, Failed: 60}
		},
		Alerts: func() []model.ReceiverStats {
			return []model.ReceiverStats{
				{Name: "alertmanager/127.0.0.1:9093", Sent: 52, Failed: 53, Firing: 54, Success: at},
				{Name: "program/page", Pending: 55, Oldest: time.Now().Add(time.Hour), Error: "no"},
			}
		},
		Dependencies: func() []model.DependencyView {
			return []model.DependencyView{
				view("process:a/usr/bin/curl", "service:a/nginx:8080", model.Counters{Connections: 100, Failed: 15, Refused: 1, TimedOut: 2, Unreachable: 3, Aborted: 4, Open: 39, BytesSent: 40, BytesReceived: 41}),
				view("process:a/quiet", "service:a/nginx:8080", model.Counters{Connections: 1}),
				view("process:a/bad\xff", "service:a/nginx:8080", model.Counters{Connections: 50}),
				{Client: model.Party{ID: "process:a/dig"}, Proto: "udp", Counters: model.Counters{Connections: 2, DatagramsSent: 3, DatagramsReceived: 2}},
			}
		},
	}
}

var varying = regexp.MustCompile(`(cassini_collector_duration_seconds\{[^}]*\}|goversion=)("go[^"]*"| .*)`)

// own is the part of a scrape that is Cassini's, without what differs between runs.
func own(scrape []byte) []byte {
	var kept bytes.Buffer
	for line := range bytes.Lines(scrape) {
		if bytes.HasPrefix(line, []byte("cassini_")) || bytes.Contains(line, []byte(" cassini_")) {
			kept.Write(varying.ReplaceAll(line, []byte("${1} X")))
		}
	}
	return kept.Bytes()
}

func scrapeOf(t *testing.T, e *Exporter) []byte {
	t.Helper()
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, body)
	}
	return body
}

func TestFullScrape(t *testing.T) {
	e := New(fixture(), Config{Version: "v1.2.3", Revision: "abcdef", MaxDependencies: 2})
	golden(t, "testdata/scrape.prom", own(scrapeOf(t, e)))
}

func TestEveryMetricIsShown(t *testing.T) {
	scrape := string(scrapeOf(t, New(fixture(), Config{})))
	for _, m := range everything().metrics() {
		if !strings.Contains(scrape, "\n"+m.name) {
			t.Errorf("%s is not in the scrape", m.name)
		}
	}
}

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(New(fixture(), Config{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			t.Fatal("promtool is not here; install it (Debian: apt-get install prometheus)")
		}
		t.Skip("NOT CHECKED: promtool is not here; install it (Debian: apt-get install prometheus) to check the scrape with it")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(scrapeOf(t, New(fixture(), Config{})))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

func TestAbsentParts(t *testing.T) {
	got := string(own(scrapeOf(t, New(Sources{}, Config{Version: "v1"}))))
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "cassini_") && !strings.HasPrefix(line, "cassini_build_info") && !strings.Contains(line, `collector="build"`) {
			t.Errorf("unexpected: %s", line)
		}
	}
}

func TestSilentSource(t *testing.T) {
	e := New(Sources{Capture: func() *model.CaptureStats { return nil }}, Config{})
	if got := string(scrapeOf(t, e)); !strings.Contains(got, `cassini_collector_success{collector="capture"} 0`) {
		t.Errorf("a source without an answer must show as 0:\n%s", own([]byte(got)))
	}
}

func TestMetricsDocument(t *testing.T) { golden(t, "../docs/metrics.md", Document()) }

func TestExplainedMetricsExist(t *testing.T) {
	all := everything().metrics()
	for name := range labelValues() {
		if !slices.ContainsFunc(all, func(m metric) bool { return m.name == name }) {
			t.Errorf("labelValues explains %s, which does not exist", name)
		}
	}
}
