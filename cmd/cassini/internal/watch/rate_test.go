package watch

import (
	"testing"
	"time"

	"cassini/model"
)

func TestRates(t *testing.T) {
	type reading struct {
		after                               time.Duration
		connections, failed, sent, received uint64
		by                                  string
	}
	for name, tc := range map[string]struct {
		readings []reading
		want     Rates
	}{
		"one":          {[]reading{{0, 9, 0, 0, 0, "client"}}, Rates{}},
		"two":          {[]reading{{0, 0, 0, 0, 0, "client"}, {2 * time.Second, 10, 4, 2048, 1024, "client"}}, Rates{true, 5, 2, 1024, 512}},
		"server tells": {[]reading{{0, 0, 0, 0, 0, "server"}, {time.Second, 1, 0, 10, 20, "server"}}, Rates{true, 1, 0, 20, 10}},
		"still":        {[]reading{{0, 5, 0, 0, 0, "client"}, {time.Second, 5, 0, 0, 0, "client"}}, Rates{Known: true}},
		"went back":    {[]reading{{0, 9, 0, 0, 0, "client"}, {time.Second, 19, 0, 0, 0, "client"}, {time.Second, 2, 0, 0, 0, "client"}}, Rates{}},
		"bytes back":   {[]reading{{0, 9, 0, 100, 0, "client"}, {time.Second, 10, 0, 50, 0, "client"}}, Rates{}},
		"on from there": {[]reading{{0, 9, 0, 0, 0, "client"}, {time.Second, 2, 0, 0, 0, "client"}, {time.Second, 5, 0, 0, 0, "client"}},
			Rates{Known: true, Connections: 3}},
		"other end tells": {[]reading{{0, 9, 0, 0, 0, "client"}, {time.Second, 900, 0, 0, 0, "server"}}, Rates{}},
		"too early":       {[]reading{{0, 0, 0, 0, 0, "client"}, {time.Second, 8, 0, 0, 0, "client"}, {10 * time.Millisecond, 9, 0, 0, 0, "client"}}, Rates{Known: true, Connections: 8}},
		"early is kept":   {[]reading{{0, 0, 0, 0, 0, "client"}, {10 * time.Millisecond, 9, 0, 0, 0, "client"}, {990 * time.Millisecond, 9, 0, 0, 0, "client"}}, Rates{Known: true, Connections: 9}},
		"same moment":     {[]reading{{0, 0, 0, 0, 0, "client"}, {0, 9, 0, 0, 0, "client"}}, Rates{}},
		"back early":      {[]reading{{0, 5, 0, 0, 0, "client"}, {time.Second, 9, 0, 0, 0, "client"}, {time.Millisecond, 7, 0, 0, 0, "client"}}, Rates{}},
	} {
		var m meter
		at := noon
		for _, r := range tc.readings {
			at = at.Add(r.after)
			m.take(countsOf(model.DependencyView{SeenBy: []string{r.by},
				Counters: model.Counters{Connections: r.connections, Failed: r.failed, BytesSent: r.sent, BytesReceived: r.received}}), at, 750*time.Millisecond)
		}
		if m.rates != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, m.rates, tc.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"0": number(0), "<0.1": number(0.01), "0.5": number(0.5), "9.9": number(9.94), "10": number(9.96), "9999": number(9999), "10k": number(10_000), "1.2M": number(1_234_567),
		"-": rate(false, 3, number), "0 ": size(0) + " ", "1023": size(1023), "1.0K": size(1024), "1023K": size(1023 * 1024), "1.0M": size(1 << 20), "9.5G": size(9.5 * (1 << 30)),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{cut("abcdef", 4), "abc…"}, {cutHead("abcdef", 4), "…def"}, {cut("漢字かな", 5), "漢字…"}, {cutHead("漢字かな", 4), "…な"},
		{cut("ab", 2), "ab"}, {cut("abc", 1), "…"}, {cut("abc", 0), ""}, {cutHead("abc", 0), ""}, {cutHead("abc", 1), "…"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

// TestMoved tells what went to the server as sent, also where the server's end alone tells, and no
// bytes where nothing counts them.
func TestMoved(t *testing.T) {
	counted := model.Counters{BytesSent: 10, BytesReceived: 20, DatagramsSent: 1, DatagramsReceived: 2}
	for name, tc := range map[string]struct {
		by               string
		counters         model.Counters
		bytes, datagrams string
	}{
		"client tells": {"client", counted, "10 B sent, 20 B received, 0 segments again", "1 out, 2 in"},
		"server tells": {"server", counted, "20 B sent, 10 B received, 0 segments again", "2 out, 1 in"},
		"not counted":  {"client", model.Counters{Connections: 1}, "", ""},
	} {
		bytes, datagrams := moved(model.DependencyView{Proto: "udp", SeenBy: []string{tc.by}, Counters: tc.counters})
		if bytes != tc.bytes || datagrams != tc.datagrams {
			t.Errorf("%s: %q and %q, want %q and %q", name, bytes, datagrams, tc.bytes, tc.datagrams)
		}
	}
}
