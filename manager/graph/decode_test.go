package graph

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"cassini/model"
)

// TestBatchesGiveTheSame applies a history in batches of any size, decoded several at once, one
// after the other in the same memory; what is applied is written over.
func TestBatchesGiveTheSame(t *testing.T) {
	for seed := range uint64(seeds / 3) {
		w := generate(t, seed, 600)
		w.put(model.Name{Host: "1", Package: model.PackageListeners, Key: "bad"}, "no listener")
		w.put(model.Name{Host: "1", Package: "unheard-of"}, 1)
		var logged []Logged
		for i, d := range w.docs {
			logged = append(logged, Logged{fmt.Sprintf("%08d.%s.%s", i+1, d.Package, d.Host), d})
		}
		g, r := New(Limits{}), rand.New(rand.NewPCG(seed, 3))
		var events []model.Event
		var decoder Decoder
		for len(logged) > 0 {
			n := min(len(logged), 1+r.IntN(400))
			for i, d := range logged[:n] {
				logged[i].Body = slices.Clone(d.Body)
			}
			events = append(events, g.ApplyAll(decoder.All(logged[:n]))...)
			for _, d := range logged[:n] {
				for i := range d.Body {
					d.Body[i] = '?'
				}
			}
			decoder.spoil()
			logged = logged[n:]
		}
		if a, b := state(t, w.Graph), state(t, g); a != b {
			t.Fatalf("seed %d: graphs differ at %s", seed, difference(a, b))
		}
		if !reflect.DeepEqual(events, w.seen) {
			t.Fatalf("seed %d: events differ", seed)
		}
		if r := g.Stats().Rejected; r["other"] != 1 || r[model.PackageListeners] != 1 {
			t.Errorf("seed %d: rejected %v", seed, r)
		}
	}
}

// spoil writes over all that a Decoder uses again.
func (d *Decoder) spoil() {
	list, dependencies := d.list[:cap(d.list)], d.dependencies[:cap(d.dependencies)]
	for i := range list {
		list[i] = Decoded{Name: model.Name{Host: "?", Package: "?", Key: "?"}, key: "?"}
	}
	for i := range dependencies {
		dependencies[i] = model.Dependency{Direction: "?", NetnsName: "?", Process: proc("?", 1), Counters: n(1 << 60)}
	}
	for i := range d.apart {
		b := &d.apart[i].bodies
		for i := range b.listeners {
			b.listeners[i] = model.Listener{Proto: "?", NetnsName: "?", Process: proc("?", 1), State: "?"}
		}
		for i := range b.ifaces {
			b.ifaces[i] = model.Interface{Name: "?", Kind: "?", State: "?", MTU: 1, Speed: 1, Addresses: map[string]model.IPConfig{"?": {}}}
		}
		for i := range b.neighbors {
			b.neighbors[i] = model.Neighbor{Interface: "?", State: "?", Discovery: model.Discovery{Protocol: "?", PortDescr: "?", Enabled: []string{"?"}}}
		}
	}
}

func TestDecodeAllKeepsTheOrder(t *testing.T) {
	var logged []Logged
	for i := range 3*decodeApart + 1 {
		logged = append(logged, Logged{fmt.Sprint(i), model.Document{Name: model.Name{Host: fmt.Sprint("h", i), Package: model.PackageOS}, Body: json.RawMessage(fmt.Sprintf(`{"name":"%d"}`, i))}})
	}
	for i, d := range DecodeAll(logged) {
		if os, ok := d.body.(*model.OS); !ok || d.key != fmt.Sprint(i) || d.Host != fmt.Sprint("h", i) || os.Name != fmt.Sprint(i) {
			t.Errorf("document %d is %+v", i, d)
		}
	}
}

// TestDecoderGivesRoomUp decodes few documents after many: the room for these stays for a while,
// and not for ever.
func TestDecoderGivesRoomUp(t *testing.T) {
	var decoder Decoder
	many := make([]Logged, 10*spareRoom)
	for i := range many {
		many[i].Package = model.PackageDependencies
	}
	for range spareFor / 2 {
		decoder.All(many)
		for range spareFor {
			decoder.All(many[:1])
		}
		if cap(decoder.list) < len(many) || cap(decoder.dependencies) < len(many) {
			t.Fatalf("room for %d documents is left, want %d", cap(decoder.list), len(many))
		}
	}
	for range spareFor + 1 {
		decoder.All(many[:1])
	}
	if cap(decoder.list) > spareRoom || cap(decoder.dependencies) > spareRoom {
		t.Errorf("there is still room for %d documents", cap(decoder.list))
	}
}
