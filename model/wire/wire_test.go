package wire

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

const ring = model.RingID("subnet:10.0.0.0/24")

var (
	secret = model.Secret{1, 2, 3}
	tags   = RingTagKey(secret, ring)
)

func host(i byte) model.RingMember {
	return model.RingMember{
		Host: "web-" + strings.Repeat(string('a'+rune(i)), 12), Zone: "switch:00:1b:fc:1b:a8:73", Incarnation: 1<<40 + model.Incarnation(i),
		Addr: netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 15: i}), 1984),
	}
}

func keys(n int) (k model.KeySet) {
	k.Current = uint8(n)
	for i := range n {
		k.Keys = append(k.Keys, model.RingKey{ID: uint8(i + 1), Secret: model.Secret{byte(i), 9}})
	}
	return k
}

// largest is an assignment with everything that one can have.
func largest() *model.Assignment {
	return &model.Assignment{
		Ring: ring, Epoch: 1 << 60, Profile: model.FastProfile(), Keys: keys(3),
		Next:       model.RingNeighbor{RingMember: host(1), Beyond: host(2)},
		Previous:   model.RingNeighbor{RingMember: host(9), Beyond: host(8), Keys: keys(3)},
		Successors: []model.RingMember{host(1), host(2), host(3), host(4)},
		Relays:     []model.RingMember{host(20), host(21)},
	}
}

func messages() []Message {
	id := model.ReportID{Reporter: "web-1", Incarnation: 3, Sequence: 9}
	return []Message{
		{Type: Probe, ID: 1}, {Type: ProbeAnswer, ID: 2, Subject: host(1)},
		{Type: Question, ID: 3, Subject: host(2), Score: 4}, {Type: Answer, ID: 3, Subject: host(2), Sight: model.SightKernel, Score: 1},
		{Type: Notice, ID: 5, Subject: host(3)}, {Type: Refutation, ID: 5, Subject: host(3)},
		{Type: Instruction, Assignment: largest()}, {Type: Instruction, Assignment: &model.Assignment{Ring: "r", Gone: true}},
		{Type: Ack, Epoch: 8, Ring: ring}, {Type: Leave, ID: 6, Subject: host(4), Reason: LeaveShutdown}, {Type: LeaveAck, ID: 6},
		{Type: Bridge, ID: 7, Subject: host(5), Epoch: 2}, {Type: BridgeAck, ID: 7, Epoch: 2}, {Type: Unbridge, ID: 7, Epoch: 2},
		{Type: ReportAck, Report: &id},
		{Type: Report, Verdict: &model.Verdict{
			ID: id, Ring: ring, Epoch: 4, Kind: model.VerdictCorrected, Was: model.VerdictCrashed, Became: model.VerdictLink,
			Subject: host(6), At: time.UnixMilli(1795000000000).UTC(), Corrects: &id, Bridged: "web-4",
			Evidence: model.Evidence{
				Silent: 3 * time.Second, Probes: 5, Clue: "heartbeat", Doubts: []string{"late", "starved"},
				Observations: []model.Observation{{Observer: "web-1", Sight: model.SightNothing, Score: 200}, {Observer: "web-9", Sight: model.SightLeft}},
			},
		}},
	}
}

func seal(t testing.TB, m Message) []byte {
	t.Helper()
	b, err := Seal(Header{Key: 1, Set: RingSet(ring), Nonce: 77, Incarnation: 5, Progress: 6}, tags, "web-1", SealKey(secret, ring, "web-1", "web-2"), m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(b []byte) (Message, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Message{}, err
	}
	if err := CheckTag(b, tags); err != nil {
		return Message{}, err
	}
	return Open(b, h, SealKey(secret, ring, "web-1", "web-2"))
}

func TestMessagesKeepThemselves(t *testing.T) {
	seen := map[Type]bool{Heartbeat: true, Ask: true, Reflected: true} // without a body
	for _, want := range messages() {
		seen[want.Type] = true
		b := seal(t, want)
		got, err := open(b)
		if err != nil {
			t.Fatalf("%s: %v", want.Type, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", want.Type, got, want)
		}
		if sender, err := Sender(b); sender != "web-1" || err != nil {
			t.Errorf("%s: from %q, %v", want.Type, sender, err)
		}
		if strings.HasPrefix(want.Type.String(), "type-") {
			t.Errorf("%s has no name", want.Type)
		}
	}
	for kind := Heartbeat; kind <= lastType; kind++ {
		if !seen[kind] {
			t.Errorf("%s was not tried", kind)
		}
	}
}

// A datagram of which any bit was changed, or any byte is missing, is refused.
func TestEveryBitCounts(t *testing.T) {
	for _, m := range messages() {
		whole := seal(t, m)
		for i := range whole {
			if _, err := open(whole[:i]); err == nil {
				t.Fatalf("%s of %d bytes was taken when cut at %d", m.Type, len(whole), i)
			}
			bad := append([]byte{}, whole...)
			bad[i] ^= 1 << (i % 8)
			if _, err := open(bad); err == nil {
				t.Fatalf("%s was taken with byte %d changed", m.Type, i)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	beat := AppendHeader(nil, Header{Type: Heartbeat, Key: 1, Set: 7, Nonce: 1}, tags)
	if len(beat) != HeaderSize {
		t.Fatalf("a heartbeat has %d bytes", len(beat))
	}
	edit := func(i int, v byte) []byte { b := append([]byte{}, beat...); b[i] = v; return b }
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":        {nil, ErrTruncated},
		"short":        {beat[:39], ErrTruncated},
		"long":         {append(append([]byte{}, beat...), 0), ErrMalformed},
		"version":      {edit(0, 0xc2), ErrVersion},
		"no type":      {edit(1, 0), ErrMalformed},
		"unknown type": {edit(1, 99), ErrMalformed},
		"nonce":        {edit(15, 1), ErrMalformed},
		"tag":          {edit(39, beat[39]^1), ErrForged},
		"incarnation":  {edit(16, 9), ErrForged},
	} {
		_, err := ParseHeader(c.b)
		if err == nil {
			err = CheckTag(c.b, tags)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error is %v, want %v", name, err, c.want)
		}
	}
	if _, err := open(AppendHeader(nil, Header{Type: Probe, Key: 1}, tags)); !errors.Is(err, ErrTruncated) {
		t.Errorf("control datagram of a header: %v", err)
	}
}

func TestTooLong(t *testing.T) {
	key := SealKey(secret, ring, "a", "b")
	long := largest()
	long.Next.Keys = keys(3)
	for i := range long.Relays {
		long.Relays[i].Host = strings.Repeat("x", MaxHost-i)
	}
	for i := range long.Successors {
		long.Successors[i].Host = strings.Repeat("y", MaxHost-i)
	}
	for name, m := range map[string]Message{
		"assignment": {Type: Instruction, Assignment: long},
		"host":       {Type: Refutation, Subject: model.RingMember{Host: strings.Repeat("x", MaxHost+1)}},
		"keys":       {Type: Instruction, Assignment: &model.Assignment{Keys: keys(4)}},
	} {
		if _, err := Seal(Header{}, tags, "a", key, m); !errors.Is(err, ErrTooLong) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	for _, sender := range []string{"", strings.Repeat("x", MaxHost+1)} {
		if _, err := Seal(Header{}, tags, sender, key, Message{Type: Probe}); !errors.Is(err, ErrMalformed) {
			t.Errorf("sender %q: error is %v", sender, err)
		}
	}
	if n := len(seal(t, Message{Type: Instruction, Assignment: largest()})); n > MaxDatagram {
		t.Errorf("the largest assignment takes %d bytes", n)
	} else {
		t.Logf("an assignment with 8 members and 6 keys takes %d bytes", n)
	}
}

// The vectors of the paper's appendix A and of its authors' test program.
func TestSipHash(t *testing.T) {
	key := tagKey([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
	in := make([]byte, 64)
	for i := range in {
		in[i] = byte(i)
	}
	for n, want := range map[int]uint64{
		0: 0x726fdb47dd0e0e31, 1: 0x74f839c593dc67fd, 8: 0x93f5f5799a932462, 15: 0xa129ca6149be45e5, 63: 0x958a324ceb064572,
	} {
		if got := key.Tag(in[:n]); got != want {
			t.Errorf("of %d bytes: %#x, want %#x", n, got, want)
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	seen := make(map[TagKey]string)
	for name, key := range map[string]TagKey{
		"ab": LinkTagKey(secret, ring, "a", "b"), "ba": LinkTagKey(secret, ring, "b", "a"), "shifted": LinkTagKey(secret, ring+"a", "", "b"),
		"ring": RingTagKey(secret, ring), "secret": LinkTagKey(model.Secret{}, ring, "a", "b"), "other ring": LinkTagKey(secret, "r", "a", "b"),
	} {
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[key] = name
	}
	if LinkSet(ring, "a", "b") == LinkSet(ring, "b", "a") || LinkSet(ring, "a", "b") == RingSet(ring) {
		t.Error("sets have one number")
	}
}

// Against a set of all nonces that were ever taken: none twice, and of the latest 112
// each once.
func TestWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var w Window
	taken := make(map[uint64]bool)
	highest := uint64(1 << 20)
	for range 200_000 {
		nonce := highest - random.Uint64N(200)
		if random.IntN(3) == 0 {
			nonce = highest + random.Uint64N(20)
		}
		got := w.Take(nonce)
		if got && taken[nonce] {
			t.Fatalf("nonce %d was taken twice", nonce)
		}
		if !got && !taken[nonce] && nonce+112 > highest {
			t.Fatalf("fresh nonce %d was refused at %d", nonce, highest)
		}
		taken[nonce] = taken[nonce] || got
		highest = max(highest, nonce)
	}
}
