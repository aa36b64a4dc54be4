package graph

import (
	"cmp"
	"hash/maphash"
	"iter"
	"strings"

	"cassini/model"
)

// dependencies are all by the name of their documents: by a hash of it, since the name says
// what the dependency knows anyway. The few whose hash another has are in clashing.
type dependencies struct {
	seed     maphash.Seed
	by       map[uint64]*dependency
	clashing map[model.Name]*dependency
}

func newDependencies() dependencies {
	return dependencies{seed: maphash.MakeSeed(), by: make(map[uint64]*dependency), clashing: make(map[model.Name]*dependency)}
}

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
	if d := g.deps.by[g.deps.hash(name)]; d != nil && d.isNamed(name) {
		return d
	}
	if len(g.deps.clashing) == 0 {
		return nil
	}
	return g.deps.clashing[name]
}

func (g *Graph) keepDependency(name model.Name, d *dependency) {
	hash := g.deps.hash(name)
	if g.deps.by[hash] != nil {
		g.deps.clashing[name] = d
		return
	}
	g.deps.by[hash] = d
}

func (g *Graph) forgetDependency(d *dependency) {
	name := d.name()
	hash := g.deps.hash(name)
	if g.deps.by[hash] == d {
		delete(g.deps.by, hash)
		return
	}
	delete(g.deps.clashing, name)
}

func (g *Graph) countDependencies() int { return len(g.deps.by) + len(g.deps.clashing) }

func (g *Graph) allDependencies() iter.Seq[*dependency] {
	return func(yield func(*dependency) bool) {
		for _, d := range g.deps.by {
			if !yield(d) {
				return
			}
		}
		for _, d := range g.deps.clashing {
			if !yield(d) {
				return
			}
		}
	}
}

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
	b = append(b, d.direction()...)
	b = append(b, d.program.path...)
	b = append(b, '/')
	b = d.link.client.AppendTo(b)
	b = append(b, "->"...)
	b = d.link.server().AppendTo(b)
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
