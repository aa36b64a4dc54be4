package value

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"time"

	"cassini/manager/cypher/temporal"
)

// JSON turns a value into what encoding/json writes as people expect it: a node
// is its id, labels and properties, a temporal value its text. What JSON cannot
// hold (NaN, infinities) is a text too.
func JSON(v Value) any {
	switch v := v.(type) {
	case nil, bool, int64, string:
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return FormatFloat(v)
		}
		return v
	case List:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = JSON(e)
		}
		return list
	case Map:
		return jsonMap(v)
	case *Node:
		return map[string]any{"id": v.Name, "labels": v.Labels, "properties": jsonMap(v.Properties())}
	case *Relationship:
		return map[string]any{"id": v.Name, "type": v.Type, "start": v.Start.Name, "end": v.End.Name, "properties": jsonMap(v.Properties())}
	case *Path:
		nodes, rels := make([]any, len(v.Nodes)), make([]any, len(v.Relationships))
		for i, n := range v.Nodes {
			nodes[i] = JSON(n)
		}
		for i, r := range v.Relationships {
			rels[i] = JSON(r)
		}
		return map[string]any{"nodes": nodes, "relationships": rels}
	}
	return Text(v)
}

func jsonMap(m Map) map[string]any {
	out := make(map[string]any, len(m))
	for name, e := range m {
		out[name] = JSON(e)
	}
	return out
}

// From makes a value of what Go has: numbers of all sizes, slices, maps with
// texts as names, times, addresses, and what encoding/json decodes. Anything else
// goes by its own JSON.
func From(v any) (Value, error) { return from(v, MaxDepth) }

func from(v any, depth int) (Value, error) {
	if depth == 0 {
		return nil, fmt.Errorf("take a value: nested more than %d deep", MaxDepth)
	}
	switch v := v.(type) {
	case nil, bool, int64, string, List, Map, *Node, *Relationship, *Path:
		return v, nil
	case json.Number:
		return fromNumber(v)
	case time.Time:
		return temporal.FromTime(v.UTC()), nil
	case netip.Addr:
		return v.String(), nil
	case []any:
		return fromList(v, depth)
	case map[string]any:
		return fromMap(v, depth)
	case []string:
		list := make(List, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list, nil
	}
	if temporal.Is(v) {
		return v, nil
	}
	if n, ok := fromGoNumber(v); ok {
		return n, nil
	}
	return fromJSON(v, depth)
}

func fromList(v []any, depth int) (Value, error) {
	list := make(List, len(v))
	for i, e := range v {
		var err error
		if list[i], err = from(e, depth-1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func fromMap(v map[string]any, depth int) (Value, error) {
	m := make(Map, len(v))
	for name, e := range v {
		var err error
		if m[name], err = from(e, depth-1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func fromNumber(n json.Number) (Value, error) {
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("take number %s: %w", n, err)
	}
	return f, nil
}

func fromGoNumber(v any) (Value, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(min(v, math.MaxInt64)), true
	case float64:
		return v, true
	case float32:
		return float64(v), true
	}
	return nil, false
}

func fromJSON(v any, depth int) (Value, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("take a value of type %T: %w", v, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // else large integers lose digits
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, fmt.Errorf("take a value of type %T: %w", v, err)
	}
	return from(plain, depth-1)
}
