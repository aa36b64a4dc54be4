package graph

import (
	"cmp"
	"hash/maphash"
	"iter"
	"strings"

	"cassini/model"
)

// dependencies are all by the name of their documents, which they tell themselves.
type dependencies struct {
	numbered[dependency]
	seed maphash.Seed
}

func newDependencies() dependencies { return dependencies{seed: maphash.MakeSeed()} }

func (all *dependencies) hash(name model.Name) uint64 {
	var h maphash.Hash
	h.SetSeed(all.seed)
	h.WriteString(name.Host)
	h.WriteByte(0) // in no name
	h.WriteString(name.Key)
	return h.Sum64()
}

// dependency is the one of a name, or nil.
func (g *Graph) dependency(name model.Name) *dependency {
	return g.deps.get(g.deps.hash(name), func(d *dependency) bool { return d.isNamed(name) })
}

func (g *Graph) keepDependency(name model.Name, d *dependency) { g.deps.put(g.deps.hash(name), d) }

func (g *Graph) forgetDependency(d *dependency) { g.deps.remove(g.deps.hash(d.name()), d) }

func (g *Graph) countDependencies() int { return g.deps.size() }

func (g *Graph) allDependencies() iter.Seq[*dependency] { return g.deps.all() }

// name is that of its documents.
func (d *dependency) name() model.Name {
	return model.Name{Host: d.host, Package: model.PackageDependencies, Key: d.docKey()}
}

func (d *dependency) docKey() string {
	if d.rare != nil && d.rare.key != nil {
		return *d.rare.key
	}
	return string(d.appendKey(nil))
}

func (d *dependency) isNamed(name model.Name) bool {
	if d.host != name.Host {
		return false
	}
	if d.rare != nil && d.rare.key != nil {
		return *d.rare.key == name.Key
	}
	var room [256]byte
	return string(d.appendKey(room[:0])) == name.Key
}

// appendKey writes the key that documents have by model.Dependency.
func (d *dependency) appendKey(b []byte) []byte {
	client, _ := d.addrs()
	b = append(b, d.direction()...)
	b = append(b, d.program.path...)
	b = append(b, '/')
	b = client.AppendTo(b)
	b = append(b, "->"...)
	b = d.dials().AppendTo(b)
	b = append(b, '/')
	b = append(b, d.link.target.proto...)
	if d.netns != "" {
		b = append(b, '@')
		b = append(b, d.netns...)
	}
	return b
}

// compareNames orders dependencies by host and key.
func (d *dependency) compareNames(o *dependency) int {
	return cmp.Or(strings.Compare(d.host, o.host), strings.Compare(d.docKey(), o.docKey()))
}
