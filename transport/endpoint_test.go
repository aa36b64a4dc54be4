package transport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
	"cassini/transport/admit"
)

func allMessages(about model.RingMember) []wire.Message {
	id := model.ReportID{Reporter: "a", Incarnation: 3, Sequence: 9}
	return []wire.Message{
		{Type: wire.Probe, ID: 1}, {Type: wire.ProbeAnswer, ID: 2, Subject: about}, {Type: wire.Question, ID: 3, Subject: about, Score: 4},
		{Type: wire.Answer, ID: 3, Subject: about, Sight: model.SightKernel}, {Type: wire.Notice, ID: 5, Subject: about},
		{Type: wire.Refutation, ID: 5, Subject: about}, {Type: wire.Instruction, Assignment: &model.Assignment{Ring: "r", Epoch: 3, Keys: keys(1, 1)}},
		{Type: wire.Ack, Epoch: 8, Ring: "r"}, {Type: wire.Leave, ID: 6, Subject: about, Reason: wire.LeaveShutdown}, {Type: wire.LeaveAck, ID: 6},
		{Type: wire.Report, Verdict: &model.Verdict{ID: id, Kind: model.VerdictHung, Subject: about, At: time.UnixMilli(9).UTC()}},
		{Type: wire.ReportAck, Report: &id}, {Type: wire.Bridge, ID: 7, Subject: about}, {Type: wire.BridgeAck, ID: 7}, {Type: wire.Unbridge, ID: 7},
	}
}

func TestEveryMessage(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		a, b := open(t, "a", at, 3), open(t, "b", at, 5)
		for _, ends := range [][2]*end{{a, b}, {b, a}} {
			for _, m := range allMessages(a.member()) {
				ends[0].send(ends[1], m)
				if g := ends[1].next(); g.ring != testRing || g.from != ends[0].member() || !reflect.DeepEqual(g.m, m) {
					t.Errorf("%s: sent %+v, got %+v", at, m, g)
				}
			}
		}
		if s := a.Stats(); s.Sent != 15 || s.Failed != 0 || s.Received[Taken] != 15 {
			t.Errorf("%+v", s)
		}
	}
}

func TestRefusals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	good := func(nonce uint64) []byte { return sealed(2, "a", "b", 3, nonce, word(1)) }
	change := func(nonce uint64, at int) []byte {
		b := good(nonce)
		b[(at+len(b))%len(b)] ^= 1
		return b
	}
	garbage := make([]byte, 300)
	for i := range garbage {
		garbage[i] = byte(random.Uint32())
	}
	other := sealed(2, "a", "b", 3, 9, word(1))
	copy(other[4:8], []byte{1, 2, 3, 4})
	beat := wire.AppendHeader(nil, wire.Header{Type: wire.Heartbeat, Key: 2, Set: wire.RingSet(testRing)}, wire.RingTagKey(model.Secret{2, 1, 2, 3}, testRing))
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":                 {nil, Truncated},
		"short":                 {good(1)[:39], Truncated},
		"header alone":          {good(1)[:40], Truncated},
		"name is cut":           {good(1)[:41], Malformed},
		"body is cut":           {good(1)[:50], Forged},
		"end is cut":            {good(1)[:len(good(1))-1], Forged},
		"too long":              {append(good(1), make([]byte, wire.MaxDatagram)...), Malformed},
		"much too long":         {append(good(1), make([]byte, 20_000)...), Malformed},
		"garbage":               {garbage, Malformed},
		"another version":       {change(1, 0), Malformed},
		"another type":          {change(1, 1), Forged},
		"no key of that number": {sealed(9, "a", "b", 3, 1, word(1)), UnknownKey},
		"another ring":          {other, UnknownSet},
		"heartbeat":             {beat, UnknownSet},
		"header is changed":     {change(1, 24), Forged},
		"tag is changed":        {change(1, 39), Forged},
		"name is changed":       {change(1, 41), Forged},
		"body is changed":       {change(1, -20), Forged},
		"seal is changed":       {change(1, -1), Forged},
		"to somebody else":      {sealed(2, "a", "c", 3, 1, word(1)), Forged},
		"sent back":             {sealed(2, "b", "a", 3, 1, word(1)), Forged},
		"from somebody without": {sealed(2, "mallory", "c", 3, 1, word(1)), Forged},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, "b", "127.0.0.1:0", 5)
			b.inject(c.b)
			b.expect(c.want, 1)
			b.inject(good(1), good(1))
			if g := b.next(); g.m.Type != wire.ProbeAnswer {
				t.Errorf("got %+v", g)
			}
			b.expect(Replayed, 1)
		})
	}
}

// All three keys are accepted, the current one is sent with; who was away for a rotation
// hears the others and is heard.
func TestKeyRotation(t *testing.T) {
	a, b := open(t, "a", "127.0.0.1:0", 3), open(t, "b", "127.0.0.1:0", 5)
	for i, c := range []struct {
		a, b model.KeySet
		ok   bool
	}{
		{keys(2, 1, 2, 3), keys(2, 1, 2, 3), true}, {keys(1, 0, 1, 2), keys(2, 1, 2, 3), true}, {keys(3, 2, 3, 4), keys(2, 1, 2, 3), true},
		{keys(0, 255, 0, 1), keys(2, 1, 2, 3), false}, {keys(4, 3, 4, 5), keys(2, 1, 2, 3), false}, {keys(255, 254, 255, 0), keys(0, 255, 0, 1), true},
	} {
		a.Put(testRing, c.a)
		b.Put(testRing, c.b)
		unknown := b.Stats().Received[UnknownKey]
		a.send(b, word(uint64(i)))
		if !c.ok {
			b.expect(UnknownKey, unknown+1)
		} else if g := b.next(); g.m.ID != uint64(i) {
			t.Errorf("got %+v", g)
		}
	}
	b.Forget(testRing)
	a.send(b, word(1))
	b.expect(UnknownSet, 1)
	if err := b.Send(testRing, a.member(), word(1)); !errors.Is(err, wire.ErrKey) {
		t.Errorf("sent in a ring that was left: %v", err)
	}
}

// A rotation does not make old datagrams new.
func TestReplayAfterRotation(t *testing.T) {
	b := open(t, "b", "127.0.0.1:0", 5)
	old := sealed(2, "a", "b", 3, 100, word(1))
	b.inject(old)
	b.next()
	b.Put(testRing, keys(3, 2, 3, 4))
	b.inject(old)
	b.expect(Replayed, 1)
}

func TestIncarnations(t *testing.T) {
	b := open(t, "b", "127.0.0.1:0", 5)
	b.inject(sealed(2, "a", "b", 3, 1000, word(1)))
	b.next()
	b.inject(sealed(2, "a", "b", 4, 7, word(2))) // a new life counts anew
	if g := b.next(); g.from.Incarnation != 4 {
		t.Errorf("got %+v", g)
	}
	b.inject(sealed(2, "a", "b", 3, 1001, word(3)), sealed(2, "a", "b", 4, 7, word(2)))
	b.expect(Replayed, 2)
	b.inject(sealed(2, "c", "b", 1, 1, word(4))) // another's life is its own
	b.next()
}

// Whoever has recorded a datagram can send it again with any name and body: that is
// refused, keeps no new one out, and is not kept.
func TestFloodOfRecorded(t *testing.T) {
	b := open(t, "b", "127.0.0.1:0", 5)
	b.inject(sealed(2, "a", "b", 3, 1, word(1)))
	b.next()
	b.mu.Lock()
	seals := len(b.seals)
	b.mu.Unlock()
	for i := range 3000 {
		recorded := sealed(2, "a", "b", 3, 1, word(1))
		copy(recorded[41:], []byte{byte('A' + i%26)})
		if _, _, _, err := b.Endpoint.open(recorded); err == nil {
			t.Fatal("taken")
		}
	}
	s := b.Stats().Received
	if s[Forged]+s[Limited] != 3000 || s[Limited] < 2000 {
		t.Errorf("%v", s)
	}
	b.mu.Lock()
	if got := len(b.seals); got != seals {
		t.Errorf("%d seals are kept, %d were before", got, seals)
	}
	b.mu.Unlock()
	b.inject(sealed(2, "a", "b", 3, 2, word(2)))
	b.next()
}

// More senders than are remembered do not make room for what was recorded of those who go on.
func TestManySenders(t *testing.T) {
	k := newRingKeys(testRing, keys(2, 1, 2, 3))
	for i := range uint64(10 * maxSenders) {
		if !k.fresh("a", wire.Header{Nonce: 1000 + i}) || !k.fresh(fmt.Sprint("host-", i), wire.Header{Nonce: 1}) {
			t.Fatal("refused")
		}
		if k.fresh("a", wire.Header{Nonce: 1000 + i}) {
			t.Fatal("taken twice")
		}
	}
	if n := len(k.windows) + 1; n != maxSenders {
		t.Errorf("%d are remembered", n)
	}
}

// Garbage at the rate of a loop: what is good comes through all the same.
func TestGoodAmongGarbage(t *testing.T) {
	a, b := open(t, "a", "127.0.0.1:0", 3), open(t, "b", "127.0.0.1:0", 5)
	stop, done := make(chan struct{}), make(chan struct{})
	recorded := sealed(2, "x", "b", 1, 1, word(99))
	forged := sealed(2, "y", "c", 1, 1, word(99))
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				b.inject(recorded, forged, make([]byte, 100), forged[:60])
			}
		}
	}()
	seen := map[uint64]bool{}
	for id := uint64(0); id < 50; {
		a.send(b, word(id)) // until it gets there: the socket's buffer is full at times
		select {
		case g := <-b.told:
			seen[g.m.ID] = true
		case <-time.After(10 * time.Millisecond):
		}
		if seen[id] {
			id++
		}
	}
	close(stop)
	<-done
}

func TestHeartbeats(t *testing.T) {
	beats := make(chan wire.Header, 10)
	a := open(t, "a", "127.0.0.1:0", 3)
	b := open(t, "b", "127.0.0.1:0", 5, func(c *Config) {
		c.Take = func(b []byte) bool {
			if h, err := wire.ParseHeader(b); err == nil && h.Type == wire.Heartbeat {
				if wire.CheckTag(b, wire.LinkTagKey(model.Secret{2, 1, 2, 3}, testRing, "a", "b")) != nil {
					t.Error("a bad tag")
				}
				beats <- h
				return false
			}
			return true
		}
	})
	if err := a.Beat(testRing, b.member(), 0); !errors.Is(err, wire.ErrKey) {
		t.Errorf("error is %v", err)
	}
	if err := a.PutBeat(testRing, "b", model.KeySet{}); !errors.Is(err, wire.ErrKey) {
		t.Errorf("error is %v", err)
	}
	if err := a.PutBeat(testRing, "b", keys(2, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	var progress []uint64
	for range 3 {
		if err := a.Beat(testRing, b.member(), wire.FlagStarved); err != nil {
			t.Fatal(err)
		}
		h := <-beats
		progress = append(progress, h.Progress)
		if h.Flags != wire.FlagStarved || h.Incarnation != 3 || h.Key != 2 || h.Set != wire.LinkSet(testRing, "a", "b") {
			t.Errorf("%+v", h)
		}
	}
	if !slices.Equal(progress, []uint64{1, 2, 3}) {
		t.Errorf("progress is %v", progress)
	}
	a.ForgetBeat(testRing, "b")
	if err := a.Beat(testRing, b.member(), 0); !errors.Is(err, wire.ErrKey) {
		t.Errorf("error is %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	b := &Endpoint{cfg: Config{Host: "b"}, rings: make(ringSets), seals: make(seals), beats: make(map[beatKey]beating), counters: make(map[string]uint64), admit: admit.New(freshRate, maxSeen)}
	b.Put(testRing, keys(2, 1, 2, 3))
	for i, m := range allMessages(model.RingMember{Host: "c"}) {
		f.Add(sealed(2, "a", "b", 3, uint64(i), m))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b.isOwn(raw[:min(len(raw), wire.HeaderSize)])
		_, from, m, err := b.open(raw)
		if err == nil && (from.Host == "" || m.Type == 0) {
			t.Errorf("%+v from %+v", m, from)
		}
		if _, _, _, again := b.open(raw); again == nil {
			t.Error("taken again")
		}
	})
}
