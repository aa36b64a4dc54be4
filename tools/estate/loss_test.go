package estate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"testing"
	"time"
)

// sent is how many datagrams a measurement takes.
const sent = 8000

// arrivals says of each datagram from one host to another whether it arrived.
func arrivals(t *testing.T, e *Estate, from, to Host) []bool {
	t.Helper()
	expectWay(t, e, from.Name+" "+to.Name, to.Name+" "+from.Name) // both know each other's address now
	var in, out *net.UDPConn
	err := errors.Join(
		e.Do(to.Name, func() (err error) { in, err = net.ListenUDP("udp4", &net.UDPAddr{}); return err }),
		e.Do(from.Name, func() (err error) { out, err = net.ListenUDP("udp4", &net.UDPAddr{}); return err }),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = in.Close(), out.Close() }()
	target := &net.UDPAddr{IP: to.Addr.AsSlice(), Port: in.LocalAddr().(*net.UDPAddr).Port}
	arrived, b, got, before, end := make([]bool, sent), make([]byte, 8), 0, dropped(t, e, from, to), time.Now().Add(patience)
	for i := range sent {
		binary.LittleEndian.PutUint64(b, uint64(i))
		if _, err := out.WriteToUDP(b, target); err != nil {
			t.Fatal(err)
		}
		if i%64 != 63 && i != sent-1 { // the socket's buffer must not lose any
			continue
		}
		for got <= i-int(dropped(t, e, from, to)-before) && time.Now().Before(end) {
			got += take(in, arrived)
		}
	}
	return arrived
}

// dropped is how many packets cables of hosts lost by what the test set.
func dropped(t *testing.T, e *Estate, hosts ...Host) (n uint64) {
	t.Helper()
	for _, h := range hosts {
		in, out, err := e.Lost(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		n += in.Dropped + out.Dropped
	}
	return n
}

// take reads what is there, or comes in a moment.
func take(in *net.UDPConn, arrived []bool) (n int) {
	for b := make([]byte, 8); ; n++ {
		_ = in.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
		if _, err := in.Read(b); err != nil {
			return n
		}
		arrived[binary.LittleEndian.Uint64(b)] = true
	}
}

// runsOf counts losses and the runs that they came in.
func runsOf(arrived []bool) (lost, runs float64) {
	for i, ok := range arrived {
		if ok {
			continue
		}
		lost++
		if i == 0 || arrived[i-1] {
			runs++
		}
	}
	return lost, runs
}

func TestLoss(t *testing.T) {
	e := newEstate(t, 1, 2)
	a, b := e.byName["s1-h1"].Host, e.byName["s1-h2"].Host
	for _, c := range []struct {
		loss Loss
		run  float64 // mean length
	}{
		{Loss{Percent: 20}, 1 / 0.8},
		{Loss{Percent: 20, Burst: 5}, 5},
		{Loss{Percent: 2, Burst: 1}, 1 / 0.98},
	} {
		t.Run(fmt.Sprintf("%v", c.loss), func(t *testing.T) {
			if err := e.Loss(a.Name, c.loss, Loss{}); err != nil {
				t.Fatal(err)
			}
			judge(t, "in", arrivals(t, e, b, a), c.loss, c.run)
			if lost, _ := runsOf(arrivals(t, e, a, b)); lost != 0 {
				t.Errorf("%v datagrams were lost on the other way", lost)
			}
			if err := e.Loss(a.Name, Loss{}, c.loss); err != nil {
				t.Fatal(err)
			}
			judge(t, "out", arrivals(t, e, a, b), c.loss, c.run)
			_, out, err := e.Lost(a.Name)
			if err != nil || out.Packets < sent || out.Dropped == 0 || out.Runs == 0 {
				t.Errorf("counted %+v, %v", out, err)
			}
		})
	}
	if err := e.Loss(a.Name, Loss{}, Loss{}); err != nil {
		t.Fatal(err)
	}
	if lost, _ := runsOf(arrivals(t, e, b, a)); lost != 0 {
		t.Errorf("%v datagrams were lost without a loss", lost)
	}
}

// rarely is how far a sum with a variance is off as rarely as five standard deviations are where
// it has many parts. Of few, of a size each, sums are less even (Bernstein's inequality).
func rarely(variance, size float64) float64 {
	const rare = 25.0 / 2
	return rare*size/3 + math.Sqrt(rare*size/3*rare*size/3+2*rare*variance)
}

// judge allows five standard deviations. Those of the mean of losses that come in runs
// of length L are larger by the root of (1+r)/(1-r), where r is how much one packet's
// fate tells of the next one's; runs have geometric lengths.
func judge(t *testing.T, way string, arrived []bool, loss Loss, run float64) {
	t.Helper()
	p := loss.Percent / 100
	r := 1 - 1/run - p/(1-p)/run
	wide := 5 * math.Sqrt(p*(1-p)/sent*(1+r)/(1-r))
	lost, runs := runsOf(arrived)
	if got := lost / sent; math.Abs(got-p) > wide {
		t.Errorf("%s: %.1f%% lost, want %.1f%% +- %.1f%%", way, got*100, p*100, wide*100)
	}
	wideRun := rarely(sent*p*(run-1), run) / (sent * p / run)
	if got := lost / runs; math.Abs(got-run) > wideRun {
		t.Errorf("%s: runs of %.2f, want %.2f +- %.2f", way, got, run, wideRun)
	}
	t.Logf("%s: %.2f%% lost in runs of %.2f", way, lost/sent*100, lost/runs)
}

func TestAllIsLost(t *testing.T) {
	e := newEstate(t, 1, 2)
	for _, loss := range []Loss{{Percent: 100}, {Percent: 100, Burst: 4}} {
		if err := e.Loss("s1-h1", loss, Loss{}); err != nil {
			t.Fatal(err)
		}
		expectCut(t, e, "s1-h2 s1-h1", "s1-h1 s1-h2")
		if err := e.Loss("s1-h1", Loss{}, Loss{}); err != nil {
			t.Fatal(err)
		}
		expectWay(t, e, "s1-h2 s1-h1")
	}
	if err := e.Loss("manager", Loss{}, Loss{Percent: 100}); err != nil {
		t.Fatal(err)
	}
	expectCut(t, e, "manager s1-h1")
	for _, loss := range []Loss{{Percent: -1}, {Percent: 101}, {Percent: math.NaN()}, {Burst: -1}, {Percent: 80, Burst: 2}} {
		if err := e.Loss("s1-h1", loss, Loss{}); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", loss, err)
		}
	}
}
