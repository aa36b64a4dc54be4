package rings

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// acknowledging is a world in which every host acknowledges each place at once.
type acknowledging struct {
	r    *Rings
	now  time.Time
	acks []func()
	sent int
}

func (w *acknowledging) Send(_ model.RingID, to model.RingMember, m wire.Message) {
	w.sent++
	if a := m.Assignment; a != nil {
		w.acks = append(w.acks, func() {
			w.r.Receive(model.ManagerRing(to.Host), to, wire.Message{Type: wire.Ack, Ring: a.Ring, Epoch: a.Epoch}, w.now)
		})
	}
}

func (w *acknowledging) Ping(model.RingID, model.RingMember) {}
func (w *acknowledging) KeepHost(*Host)                      {}
func (w *acknowledging) KeepRing(*Ring)                      {}
func (w *acknowledging) DropRing(model.RingID)               {}
func (w *acknowledging) DropHost(string)                     {}
func (w *acknowledging) Verdict(model.Verdict)               {}

// settle lets what is due happen, with its acknowledgements.
func (w *acknowledging) settle() {
	for next := w.r.Next(); !next.IsZero() && !next.After(w.now); next = w.r.Next() {
		w.r.Tick(w.now)
		for _, ack := range w.acks {
			ack()
		}
		w.acks = w.acks[:0]
	}
}

// BenchmarkJoin is a host that joins an estate of 48 hosts a zone, with what its neighbors
// are told and acknowledge, keys included; without seals, sockets and disk. An estate ends
// at 100,000.
func BenchmarkJoin(b *testing.B) {
	var w *acknowledging
	instructions := 0
	for i := range b.N {
		n := i % 100_000
		if n == 0 {
			b.StopTimer()
			if w != nil {
				instructions += w.sent
			}
			w = &acknowledging{now: time.Unix(1_800_000_000, 0)}
			w.r = New(Config{
				Self: model.RingMember{Host: model.ManagerHost}, World: w, Rand: rand.New(rand.NewPCG(1, 1)), Rotation: DefaultRotation,
				Secret: func() model.Secret { return model.Secret{1} },
			})
			b.StartTimer()
		}
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 1985)
		join := model.Join{RingMember: model.RingMember{Host: fmt.Sprintf("h%d", n), Addr: addr, Incarnation: 1, Zone: fmt.Sprintf("z%d", n/48)}}
		joined, err := w.r.Join(join, w.now)
		if err != nil {
			b.Fatal(err)
		}
		for _, a := range joined.Assignments {
			w.r.Receive(model.ManagerRing(join.Host), join.RingMember, wire.Message{Type: wire.Ack, Ring: a.Ring, Epoch: a.Epoch}, w.now)
		}
		w.now = w.now.Add(80 * time.Microsecond)
		w.settle()
	}
	b.ReportMetric(float64(instructions+w.sent)/float64(b.N), "instructions/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "joins/s")
}
