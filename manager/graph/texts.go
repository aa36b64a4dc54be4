package graph

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"cassini/manager/moment"
	"cassini/model"
)

// Bounds of what is shared by value: beyond them it is begun anew, and what is in use stays.
const (
	maxTexts  = 1 << 16
	maxText   = 512 // bytes
	maxAlikes = 1 << 14
)

// texts are values that many documents say alike: of each there is one. It is for what is
// written seldom and kept long.
type texts struct {
	words   map[string]string
	configs map[model.IPConfig]*model.IPConfig
	systems map[model.OS]*model.OS
	devices alikes[deviceKey, device]
	cards   alikes[cardKey, model.Interface]
}

type deviceKey struct{ chassis, protocol string }

// cardKey is what few interfaces have in common that are not alike.
type cardKey struct {
	name, kind, driver string
	mtu                int
	speed              uint32
	gateway            netip.Addr
}

// alikes are values, by what they have in common with few others, one of each that are alike.
type alikes[K comparable, T any] struct {
	known map[K][]*T
	count int
}

// of is the one that is like a value. Nobody may change it.
func (a *alikes[K, T]) of(key K, value T) *T {
	if a.known == nil || a.count > maxAlikes {
		a.known, a.count = make(map[K][]*T), 0
	}
	known := a.known[key]
	if i := slices.IndexFunc(known, func(o *T) bool { return reflect.DeepEqual(o, &value) }); i >= 0 {
		return known[i]
	}
	// The newest few: what was said once will hardly be said again.
	if len(known) >= maxSayings {
		known = slices.Delete(known, 0, 1)
		a.count--
	}
	a.known[key] = append(known, &value)
	a.count++
	return &value
}

// word makes texts the shared ones.
func (t *texts) word(all ...*string) {
	if t.words == nil || len(t.words) > maxTexts {
		t.words = make(map[string]string)
	}
	for _, text := range all {
		if *text == "" || len(*text) > maxText {
			continue
		}
		known, ok := t.words[*text]
		if !ok {
			known = strings.Clone(*text)
			t.words[known] = known
		}
		*text = known
	}
}

func (t *texts) config(c model.IPConfig) *model.IPConfig { return one(&t.configs, c) }

func (t *texts) os(o model.OS) *model.OS { return one(&t.systems, o) }

// one is the value that all share that are equal.
func one[T comparable](all *map[T]*T, value T) *T {
	if *all == nil || len(*all) > maxTexts {
		*all = make(map[T]*T)
	}
	known := (*all)[value]
	if known == nil {
		known = &value
		(*all)[value] = known
	}
	return known
}

// iface is an interface in little memory.
func (t *texts) iface(host, key string, now *model.Interface) *iface {
	i := &iface{host: host, key: key, Index: now.Index, Address: now.Address, CarrierChanges: now.CarrierChanges}
	i.Interface = t.common(now)
	if i.key == i.Name {
		i.key = i.Name
	}
	if now.Addresses != nil {
		i.addresses = make([]prefix, 0, len(now.Addresses))
		for _, text := range sortedKeys(now.Addresses) {
			i.addresses = append(i.addresses, newPrefix(text, t.config(now.Addresses[text])))
		}
	}
	return i
}

// common is what interfaces of many hosts say alike.
func (t *texts) common(now *model.Interface) *model.Interface {
	c := *now
	c.Index, c.Address, c.CarrierChanges, c.Addresses = 0, "", 0, nil
	t.word(&c.Name, &c.Kind, &c.OperState, &c.Master, &c.Parent, &c.Duplex, &c.Port, &c.Driver, &c.Firmware, &c.Bus, &c.WakeOnLAN, &c.State)
	key := cardKey{name: c.Name, kind: c.Kind, driver: c.Driver, mtu: c.MTU, speed: c.Speed}
	if len(c.DefaultGateways) > 0 {
		key.gateway = c.DefaultGateways[0]
	}
	return t.cards.of(key, c)
}

// neighbor is a neighbor in little memory.
func (t *texts) neighbor(host, key string, body *model.Neighbor) *neighbor {
	n := &neighbor{
		host: host, key: key, Interface: body.Interface, Netns: body.Netns, State: body.State,
		firstSeen: moment.Of(body.FirstSeen), changed: moment.Of(body.Changed), ended: moment.Of(body.Ended),
		SourceMAC: body.SourceMAC, Port: body.Port, PortDescr: body.PortDescr,
	}
	t.word(&n.Interface, &n.Netns, &n.State, &n.Port.Kind, &n.Port.ID, &n.PortDescr)
	n.device = t.device(body.Discovery)
	return n
}

// device is what all ports of a device say alike.
func (t *texts) device(d model.Discovery) *device {
	d.SourceMAC, d.Port, d.PortDescr = "", model.PortID{}, ""
	return t.devices.of(deviceKey{d.Chassis.ID, d.Protocol}, device{d})
}

// maxSayings is how many are remembered that have in common what few have.
const maxSayings = 8
