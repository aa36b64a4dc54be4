package heartbeat

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestParsePressure(t *testing.T) {
	for text, want := range map[string]float64{
		"some avg10=1.53 avg60=0.71 avg300=0.20 total=10364232\nfull avg10=9.00 avg60=0.00 avg300=0.00 total=0\n": 1.53,
		"full avg10=9.00 avg60=0.00 avg300=0.00 total=0\nsome avg10=100.00 avg60=0.71\n":                          100,
		"some avg10=0.00\n":           0,
		"":                            0,
		"some\n":                      0,
		"some avg60=70.00 avg10=80\n": 0, // not in the kernel's order
		"some 70.00\n":                0,
		"some avg10=\n":               0,
		"some avg10=many\n":           0,
		"some avg10=NaN\n":            0,
		"some avg10=+Inf\n":           0,
		"some avg10=-3\n":             0,
		"some avg10=100.5\n":          0,
		"awesome avg10=70\n":          0,
	} {
		if got := parsePressure([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func FuzzParsePressure(f *testing.F) {
	f.Add([]byte("some avg10=1.53 avg60=0.71 avg300=0.20 total=10364232\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"))
	f.Add([]byte("some avg10=NaN"))
	f.Add([]byte("some avg10=1e309"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got := parsePressure(raw); math.IsNaN(got) || got < 0 || got > 100 {
			t.Errorf("%q: %v", raw, got)
		}
	})
}

func TestDoubts(t *testing.T) {
	const silence = 3 * time.Second
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	d := newDoubts(true)
	list := func(now time.Time) []string {
		return slices.DeleteFunc(d.list(now, silence), func(doubt string) bool { return doubt == doubtStarved }) // this machine may be
	}
	d.ran(at, at.Add(silence/4), silence)
	if got := list(at.Add(silence / 4)); len(got) != 0 {
		t.Errorf("in time: %v", got)
	}
	late := at.Add(silence/4 + time.Millisecond)
	d.ran(at, late, silence)
	if got := list(late); !slices.Equal(got, []string{doubtLate}) {
		t.Errorf("late: %v", got)
	}
	if got := list(late.Add(silence)); len(got) != 0 {
		t.Errorf("a while later: %v", got)
	}
	d = newDoubts(true)
	d.suspended -= silence // as if it had stood still since
	if got := list(at); !slices.Equal(got, []string{doubtSuspended}) {
		t.Errorf("after it stood still: %v", got)
	}
	if got := list(at.Add(2 * silence)); len(got) != 0 {
		t.Errorf("some time after it stood still: %v", got)
	}
	d.addr = netip.MustParseAddr("192.0.2.7")
	if got := list(at.Add(2 * silence)); !slices.Equal(got, []string{doubtLink}) {
		t.Errorf("with an address that is on no interface: %v", got)
	}
	d.addr = netip.MustParseAddr("127.0.0.1")
	if got := list(at.Add(2 * silence)); len(got) != 0 {
		t.Errorf("with an address that is there: %v", got)
	}
}
