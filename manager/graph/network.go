package graph

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"unsafe"

	"cassini/model"
)

// iface is an interface that is there.
type iface struct {
	host, key string // of its document
	addresses []prefix
	// What is hardly ever the same on two hosts, instead of what stands there in Interface.
	Index          int
	Address        string
	CarrierChanges uint32

	*model.Interface // without addresses; shared, never changed
}

// prefix is an address of an interface, as "10.10.10.5/24".
type prefix struct {
	text   string
	config *model.IPConfig // shared, never changed
	at     netip.Prefix    // not valid where the address is not global
}

func newPrefix(text string, config *model.IPConfig) prefix {
	p := prefix{text: text, config: config}
	if at, err := netip.ParsePrefix(text); err == nil && global(at.Addr()) {
		p.at = at
	}
	return p
}

// whole is the interface as its document has it.
func (i *iface) whole() model.Interface {
	w := *i.Interface
	w.Index, w.Address, w.CarrierChanges = i.Index, i.Address, i.CarrierChanges
	if i.addresses != nil {
		w.Addresses = make(map[string]model.IPConfig, len(i.addresses))
		for _, p := range i.addresses {
			w.Addresses[p.text] = *p.config
		}
	}
	return w
}

// prefixes are the addresses of an interface, in order.
func (i *iface) prefixes() []string {
	list := make([]string, 0, len(i.addresses))
	for _, p := range i.addresses {
		list = append(list, p.text)
	}
	return list
}

// failed says whether the kernel found that another machine has an address.
func (i *iface) failed(text string) bool {
	c := i.config(text)
	return c != nil && c.Failed
}

// config is what is set of an address; nil when the interface does not have it.
func (i *iface) config(text string) *model.IPConfig {
	at, known := slices.BinarySearchFunc(i.addresses, text, func(p prefix, text string) int { return strings.Compare(p.text, text) })
	if !known {
		return nil
	}
	return i.addresses[at].config
}

func (g *Graph) applyInterface(doc *Decoded, e *events) bool {
	h := g.hosts[doc.Host]
	before := h.iface(doc.Key)
	known := before != nil
	var now model.Interface
	if !doc.Gone() && (!take(doc, &now) || now.Name == "") {
		return false
	}
	if known && !doc.Gone() && now.State != model.InterfaceGone {
		if i := g.texts.iface(h.name, doc.Key, &now); i.joinsAs(before) {
			g.renewInterface(h, before, i)
			tellInterface(before, i, e)
			g.carrierChanged(before, i, e)
			g.tellRefused(before, i, e)
			return true
		}
	}
	if doc.Gone() || now.State == model.InterfaceGone {
		if known {
			g.changeInterface(h, before, nil)
			e.add(model.EventLinkDown, before.id(), before.label()+" is gone")
		}
		if !doc.Gone() {
			g.spent.note(doc.Name) // nobody is shown an interface that is gone
		}
		return true
	}
	i := g.texts.iface(h.name, doc.Key, &now)
	g.changeInterface(h, before, i)
	if known {
		tellInterface(before, i, e)
		g.carrierChanged(before, i, e)
	}
	g.tellRefused(before, i, e)
	return true
}

func (i *iface) id() string    { return model.InterfaceID(i.host, i.Name, i.Netns) }
func (i *iface) label() string { _, s, _ := strings.Cut(i.id(), ":"); return s }

func byKey(i *iface, key string) int { return strings.Compare(i.key, key) }

// iface is the interface that a host's document of a key tells of, or nil.
func (h *host) iface(key string) *iface {
	if at, known := slices.BinarySearchFunc(h.ifaces, key, byKey); known {
		return h.ifaces[at]
	}
	return nil
}

// interfaces are those of all hosts.
func (g *Graph) interfaces() iter.Seq[*iface] {
	return func(yield func(*iface) bool) {
		for _, h := range g.hosts {
			for _, i := range h.ifaces {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// interfacesOf are those of a host, which need not be known.
func (g *Graph) interfacesOf(host string) []*iface {
	if h := g.hosts[host]; h != nil {
		return h.ifaces
	}
	return nil
}

// joinsAs says whether an interface is joined with others as it was before.
func (i *iface) joinsAs(before *iface) bool {
	return i.Name == before.Name && i.Netns == before.Netns && i.Kind == before.Kind && i.Address == before.Address && i.VLAN == before.VLAN &&
		i.Master == before.Master && i.Parent == before.Parent && slices.Equal(i.prefixes(), before.prefixes())
}

// renewInterface puts an interface in the place of one that is joined as it is.
func (g *Graph) renewInterface(h *host, before, i *iface) {
	at, _ := slices.BinarySearchFunc(h.ifaces, i.key, byKey)
	h.ifaces[at] = i
	g.topology++ // what falls with it depends on its carrier
	if g.built == nil {
		return
	}
	if !slices.Equal(i.DefaultGateways, before.DefaultGateways) {
		g.touchPlaces(h, i.Netns)
	}
	if n := g.built.named(i.id()); n != nil && n.iface() == before {
		n.fact = unsafe.Pointer(i)
		g.built.unsum(n)
		return
	}
	g.rewire() // another document tells of the same interface
}

func (g *Graph) keepInterface(h *host, i *iface) {
	at, _ := slices.BinarySearchFunc(h.ifaces, i.key, byKey)
	h.ifaces = slices.Insert(h.ifaces, at, i)
	g.cards[i.Address]++
	g.ownAll(i, 1)
}

func (g *Graph) dropInterface(h *host, i *iface) {
	at, _ := slices.BinarySearchFunc(h.ifaces, i.key, byKey)
	h.ifaces = slices.Delete(h.ifaces, at, at+1)
	if g.cards[i.Address]--; g.cards[i.Address] == 0 {
		delete(g.cards, i.Address)
	}
	g.ownAll(i, -1)
}

// ownAll remembers or forgets the addresses of an interface as its host's.
func (g *Graph) ownAll(i *iface, n int32) {
	at := g.holdPlace(i.host, i.Netns)
	defer g.dropPlace(at)
	for _, text := range i.prefixes() {
		if p, err := netip.ParsePrefix(text); err == nil {
			g.own(p.Addr(), at, n)
		}
	}
}

// tellInterface says what a person may want to hear of a change.
func tellInterface(before, now *iface, e *events) {
	switch {
	case before.Carrier != 0 && now.Carrier == 0:
		e.add(model.EventLinkDown, now.id(), now.label()+" lost its carrier")
	case before.Carrier == 0 && now.Carrier != 0:
		e.add(model.EventLinkUp, now.id(), now.label()+" has a carrier")
	}
	var changes []string
	change := func(what string, a, b any) {
		if a != b {
			changes = append(changes, fmt.Sprintf("%s %v instead of %v", what, b, a))
		}
	}
	change("MTU", before.MTU, now.MTU)
	change("hardware address", before.Address, now.Address)
	if before.Carrier != 0 && now.Carrier != 0 {
		change("speed", before.Speed, now.Speed)
		change("duplex", before.Duplex, now.Duplex)
	}
	change("master", or(before.Master, "none"), or(now.Master, "none"))
	if now.Carrier != 0 || len(now.DefaultGateways) > 0 {
		change("default gateway", list(before.DefaultGateways), list(now.DefaultGateways))
	}
	if changes != nil {
		e.add(model.EventLinkChanged, now.id(), now.label()+" has "+strings.Join(changes, ", "))
	}
	for _, p := range now.prefixes() {
		if before.config(p) == nil {
			e.add(model.EventAddressAdded, now.id(), now.label()+" has address "+p)
		}
	}
	for _, p := range before.prefixes() {
		if now.config(p) == nil {
			e.add(model.EventAddressRemoved, now.id(), now.label()+" has no longer address "+p)
		}
	}
}

func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

func list(addrs []netip.Addr) string {
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return or(strings.Join(texts, " "), "none")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
