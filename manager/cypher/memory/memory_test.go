package memory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cassini/manager/cypher/source"
	"cassini/manager/cypher/value"
)

// sample has a loop at a, two ways from a to b and one back.
func sample() (*Graph, []*value.Node) {
	b := NewBuilder(Options{Fold: strings.ToLower, Indexed: []string{"size"}, Name: "id"})
	var nodes []*value.Node
	for i, name := range []string{"a", "b", "c"} {
		n := value.NewNode(int64(10*i), name, []string{"Label"}, func() value.Map { return value.Map{"size": int64(i / 2)} })
		nodes = append(nodes, n)
		b.Node(n)
	}
	for i, e := range [][3]any{{0, "LOOP", 0}, {0, "T", 1}, {0, "U", 1}, {1, "T", 0}} {
		b.Relationship(value.NewRelationship(int64(i), fmt.Sprint(i), e[1].(string), nodes[e[0].(int)], nodes[e[2].(int)], nil))
	}
	return b.Graph(), nodes
}

func TestExpand(t *testing.T) {
	g, nodes := sample()
	for _, tc := range []struct {
		node  int
		dir   source.Direction
		types []string
		want  string
	}{
		{0, source.Out, nil, "0 1 2"}, {0, source.In, nil, "0 3"}, {0, source.Both, nil, "0 1 2 3"},
		{0, source.Both, []string{"T"}, "1 3"}, {1, source.In, []string{"T", "U"}, "1 2"}, {2, source.Both, nil, ""},
		{0, source.Both, []string{"LOOP"}, "0"}, {1, source.Out, []string{"NONE"}, ""},
	} {
		var got []string
		for r := range g.Expand(nodes[tc.node], tc.dir, tc.types) {
			got = append(got, r.Name)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%+v: got %q", tc, got)
		}
	}
	for range g.Expand(nodes[0], source.Both, nil) {
		break // whoever reads may stop
	}
}

func TestFind(t *testing.T) {
	g, _ := sample()
	for _, tc := range []struct {
		property string
		v        value.Value
		want     string
	}{
		{"size", int64(0), "a b"}, {"size", 1.0, "c"}, {"size", "1", ""}, {"id", "b", "b"}, {source.ByID, "c", "c"}, {"id", "none", ""}, {"id", int64(1), ""},
	} {
		if _, ok := g.Indexed("", tc.property); !ok {
			t.Errorf("%s is not indexed", tc.property)
		}
		var got []string
		for n := range g.Find("", tc.property, tc.v) {
			got = append(got, n.Name)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%+v: got %q", tc, got)
		}
	}
	if _, ok := g.Indexed("", "other"); ok {
		t.Error("a property that is not indexed is")
	}
}

func TestCounts(t *testing.T) {
	g, _ := sample()
	got := []int{g.NodeCount(), g.LabelCount("Label"), g.LabelCount("label"), g.TypeCount("T"), g.TypeCount(""), g.TypeCount("none")}
	if !slices.Equal(got, []int{3, 3, 0, 2, 4, 0}) {
		t.Errorf("got %v", got)
	}
	if g.Label("LABEL") != "Label" || g.Type("loop") != "LOOP" || g.Label("other") != "other" {
		t.Errorf("names are %s, %s, %s", g.Label("LABEL"), g.Type("loop"), g.Label("other"))
	}
}
