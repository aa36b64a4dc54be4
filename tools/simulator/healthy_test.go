package simulator

import (
	"testing"
	"time"

	"cassini/model"
)

// A healthy estate sends the manager nothing, and the manager sends nobody anything.
func TestHealthyIsQuiet(t *testing.T) {
	s := settled(t, 4, 12)
	managers, hosts := s.Manager.Sent, s.Sent()
	s.Run(10 * time.Minute)
	if sent := s.Manager.Sent - managers; sent != 0 {
		t.Errorf("the manager sent %d datagrams", sent)
	}
	perHost := float64(s.Sent()-hosts) / 600 / 48
	if perHost < 2 || perHost > 2.4 { // two rings of twelve each pay for two representatives
		t.Errorf("%.3f datagrams a second and host", perHost)
	}
	if len(s.Manager.Verdicts) > 0 {
		t.Error(s.told())
	}
}

func TestScale(t *testing.T) {
	r, err := RunScale(1, 960, 48, 6, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lost != 0 || r.PacketsPerHost > 2.2 || r.Inside < 0.96 || r.ManagerPerCrash > 60 {
		t.Errorf("%+v", r)
	}
}

func TestYears(t *testing.T) {
	y := RunYears(1, 0.5, 0.05)
	if y.Suspicions < 10_000 || y.FalseDeaths != 0 || y.UpperBound() > 7 {
		t.Errorf("%+v", y)
	}
	if y.Verdicts[model.VerdictCrashed] != 0 {
		t.Errorf("%+v", y.Verdicts)
	}
}
