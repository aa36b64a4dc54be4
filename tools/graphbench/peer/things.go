package peer

import (
	"encoding/json"
	"maps"
	"slices"

	"cassini/model"
)

// Thing is a node or a dependency as differences are told of it.
type Thing struct {
	Name  string
	Facts string // its attributes as JSON, without those that always move
}

// moving are the attributes that are no news, as manager/graph has it.
var moving = []string{"last_seen", "first_seen", "carrier_changes", "pid", "seen_by"}

// NodeThing is a node as differences are told of it; ok is false of those that are not.
func NodeThing(n model.Node) (t Thing, ok bool) {
	switch n.Kind {
	case model.KindEndpoint, model.KindIP, model.KindMAC, model.KindProcess:
		return t, false
	}
	if n.Kind == model.KindService && n.Attrs["state"] == model.StateEnded {
		return t, false
	}
	attrs := maps.Clone(n.Attrs)
	maps.DeleteFunc(attrs, func(key string, _ any) bool { return slices.Contains(moving, key) })
	text, err := json.Marshal(attrs)
	return Thing{Name: n.ID, Facts: string(text)}, err == nil
}

// EdgeThing is an edge as differences are told of it; ok is false of those that are not.
func EdgeThing(e model.Edge) (t Thing, ok bool) {
	return Thing{Name: e.ID}, e.Kind == model.EdgeDependsOn || e.Kind == model.EdgeWiredTo
}
