package rings

import (
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"cassini/model"
	"cassini/tools/estate"

	"golang.org/x/sys/unix"
)

// do fails the test on an error.
func (r *rig) do(errs ...error) {
	r.t.Helper()
	for _, err := range errs {
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// order is the ring of a switch.
func (r *rig) order(zone string) (names []string) {
	r.t.Helper()
	var rings []model.RingHealth
	r.do(r.Get("rings", &rings))
	for _, ring := range rings {
		if ring.Zone == zone {
			for _, m := range ring.Members {
				names = append(names, m.Host)
			}
		}
	}
	return names
}

func TestAdjacentCrashes(t *testing.T) {
	for _, n := range []int{2, 4} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRig(t, 1, 10)
			want := make(map[string]string)
			order := r.order("subnet:10.77.1.0/24")
			var all sync.WaitGroup
			for _, name := range order[3 : 3+n] {
				want[name] = "crashed"
				all.Go(func() { r.crash(name) })
			}
			all.Wait()
			took := r.waitStates(20*time.Second, want)
			t.Logf("all known after %v", took)
			r.wait("the ring is mended", 10*time.Second, func() error { return r.whole(10 - n) })
			open := 0
			for _, i := range r.incidents() {
				if i.State == model.IncidentOpen && i.Kind == model.VerdictCrashed {
					open++
				}
			}
			if open != 1 {
				t.Errorf("%d incidents, want one of %d deaths", open, n)
			}
		})
	}
}

func TestShutdown(t *testing.T) {
	r := newRig(t, 1, 4)
	r.signal("s1-h2", unix.SIGPWR)
	took := r.waitStates(3*time.Second, map[string]string{"s1-h2": "shut-down"})
	t.Logf("known after %v", took)
	r.wait("the ring is mended", 10*time.Second, func() error { return r.whole(3) })
}

func TestFrozenForLong(t *testing.T) {
	r := newRig(t, 1, 5)
	r.signal("s1-h3", unix.SIGSTOP)
	r.waitStates(10*time.Second, map[string]string{"s1-h3": "hung"})
	time.Sleep(20 * time.Second)
	r.signal("s1-h3", unix.SIGCONT)
	r.waitStates(15*time.Second, map[string]string{})
	time.Sleep(6 * time.Second)
	r.waitStates(time.Second, map[string]string{})
	r.noDeaths()
}

// Where pings are filtered, the kernel's program tells a hung agent from a dead host.
func TestFrozenWithoutPings(t *testing.T) {
	r := newRig(t, 1, 5, func(r *rig) { r.reflect = true })
	r.signal("s1-h3", unix.SIGSTOP)
	r.waitStates(10*time.Second, map[string]string{"s1-h3": "hung"})
	r.signal("s1-h3", unix.SIGCONT)
	r.waitStates(15*time.Second, map[string]string{})
	r.noDeaths()
	r.crash("s1-h3")
	r.waitStates(10*time.Second, map[string]string{"s1-h3": "crashed"})
}

// TestStarved gives an agent CPU for a tenth of the time only.
func TestStarved(t *testing.T) {
	r := newRig(t, 1, 5)
	for range 25 {
		r.signal("s1-h3", unix.SIGSTOP)
		time.Sleep(900 * time.Millisecond)
		r.signal("s1-h3", unix.SIGCONT)
		time.Sleep(100 * time.Millisecond)
	}
	r.noDeaths()
	r.waitStates(10*time.Second, map[string]string{})
}

func TestLinkDown(t *testing.T) {
	r := newRig(t, 2, 4)
	r.do(r.estate.CutLink("s1-h2"))
	took := r.waitStates(15*time.Second, map[string]string{"s1-h2": "crashed"})
	t.Logf("silent for others after %v", took)
	time.Sleep(5 * time.Second)
	r.do(r.estate.MendLink("s1-h2"))
	r.waitStates(40*time.Second, map[string]string{})
	r.wait("rings are whole", 20*time.Second, func() error { return r.whole(8) })
	r.wait("the incident is corrected", 10*time.Second, func() error {
		for _, i := range r.incidents() {
			if i.State == model.IncidentOpen {
				return fmt.Errorf("%s is open: %s", i.Kind, i.Summary)
			}
		}
		return nil
	})
}

func TestSwitchLost(t *testing.T) {
	r := newRig(t, 3, 4)
	r.do(r.estate.StopSwitch(2))
	lost := map[string]string{"s2-h1": "unobservable", "s2-h2": "unobservable", "s2-h3": "unobservable", "s2-h4": "unobservable"}
	took := r.waitStates(20*time.Second, lost)
	t.Logf("known after %v", took)
	r.wait("an incident names the switch's segment", 5*time.Second, func() error {
		for _, i := range r.incidents() {
			if i.State == model.IncidentOpen && i.Kind == model.VerdictSegment && i.Subjects[0] == "subnet:10.77.2.0/24" {
				return nil
			}
		}
		return errNone
	})
	time.Sleep(10 * time.Second)
	r.do(r.estate.StartSwitch(2))
	r.waitStates(90*time.Second, map[string]string{})
	r.wait("rings are whole", 30*time.Second, func() error { return r.whole(12) })
}

func TestLoss(t *testing.T) {
	for _, loss := range []estate.Loss{{Percent: 5}, {Percent: 20}, {Percent: 5, Burst: 4}, {Percent: 20, Burst: 4}} {
		t.Run(fmt.Sprintf("%v%% in runs of %d", loss.Percent, max(loss.Burst, 1)), func(t *testing.T) {
			r := newRig(t, 1, 8)
			half := estate.Loss{Percent: loss.Percent, Burst: loss.Burst}
			for _, h := range r.estate.Hosts() {
				r.do(r.estate.Loss(h.Name, half, estate.Loss{}))
			}
			time.Sleep(40 * time.Second)
			r.noDeaths()
			r.crash("s1-h4")
			took := r.wait("the crash is known", 30*time.Second, func() error {
				states, err := r.states()
				if err == nil && states["s1-h4"] != "crashed" {
					err = fmt.Errorf("states are %v", states)
				}
				return err
			})
			t.Logf("a crash is known after %v", took)
		})
	}
}

func TestPartition(t *testing.T) {
	r := newRig(t, 2, 4)
	r.do(r.estate.Partition(2))
	r.waitStates(20*time.Second, map[string]string{"s2-h1": "unobservable", "s2-h2": "unobservable", "s2-h3": "unobservable", "s2-h4": "unobservable"})
	time.Sleep(5 * time.Second)
	r.do(r.estate.Heal(2))
	r.waitStates(90*time.Second, map[string]string{})
	r.wait("rings are whole", 30*time.Second, func() error { return r.whole(8) })
	r.noDeaths2("s2-")
}

// noDeaths2 fails if a host whose name begins so is held for dead.
func (r *rig) noDeaths2(prefix string) {
	r.t.Helper()
	for _, i := range r.incidents() {
		if i.State == model.IncidentOpen && i.Kind.Death() {
			r.t.Errorf("%s: %s", prefix, r.incidentsText())
		}
	}
}

func TestManagerAway(t *testing.T) {
	r := newRig(t, 1, 6)
	r.signal("manager", unix.SIGKILL)
	r.crash("s1-h3")
	time.Sleep(15 * time.Second)
	r.startManager()
	r.waitStates(60*time.Second, map[string]string{"s1-h3": "crashed"})
	r.wait("the ring is mended", 40*time.Second, func() error { return r.whole(5) })
}

func TestMassRestart(t *testing.T) {
	r := newRig(t, 2, 5)
	for _, h := range r.estate.Hosts() {
		r.signal(h.Name, unix.SIGKILL)
	}
	r.signal("manager", unix.SIGKILL)
	r.startManager()
	for _, h := range r.estate.Hosts() {
		r.startAgent(h.Name)
	}
	r.waitStates(60*time.Second, map[string]string{})
	r.wait("rings are whole", 40*time.Second, func() error { return r.whole(10) })
}

func TestRotation(t *testing.T) {
	r := newRig(t, 1, 5)
	r.signal("s1-h2", unix.SIGSTOP) // offline for one rotation
	r.rotate()
	time.Sleep(15 * time.Second)
	r.signal("s1-h2", unix.SIGCONT)
	r.waitStates(15*time.Second, map[string]string{})
	r.wait("rings are whole", 60*time.Second, func() error { return r.whole(5) })
	r.rotate()
	r.wait("rings are whole", 60*time.Second, func() error { return r.whole(5) })
	time.Sleep(5 * time.Second)
	r.waitStates(time.Second, map[string]string{})
	r.noDeaths()
}

func (r *rig) rotate() {
	r.t.Helper()
	resp, err := r.Client().Post("http://"+r.ManagerAddr()+"/api/v1/rings/rotate", "", nil)
	r.do(err)
	resp.Body.Close()
	if resp.StatusCode != 204 {
		r.t.Fatalf("rotate answers %s", resp.Status)
	}
}

// TestAttack floods an agent and the manager with garbage, and with what was recorded.
func TestAttack(t *testing.T) {
	r := newRig(t, 1, 5)
	hosts := r.estate.Hosts()
	var conn net.PacketConn
	r.do(r.estate.Do("s1-h5", func() (err error) {
		conn, err = net.ListenPacket("udp4", "0.0.0.0:0")
		return err
	}))
	defer conn.Close()
	targets := []net.Addr{
		&net.UDPAddr{IP: hosts[1].Addr.AsSlice(), Port: 1985},
		&net.UDPAddr{IP: r.estate.Manager().Addr.AsSlice(), Port: 1984},
	}
	sent := 0
	buf := make([]byte, 1400)
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); sent++ {
		if sent%64 == 0 {
			_, _ = rand.Read(buf)
		}
		size := []int{0, 1, 39, 40, 41, 200, 1232, 1400}[sent%8]
		b := buf[:size]
		if size > 2 && sent%3 > 0 {
			b[0], b[1] = 0xc1, byte(sent%17) // as far as the tag it is right
		}
		_, _ = conn.WriteTo(b, targets[sent%2])
	}
	t.Logf("%d datagrams in 8 s", sent)
	r.waitStates(time.Second, map[string]string{})
	r.noDeaths()
	r.do(r.whole(5))
}
