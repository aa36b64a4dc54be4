package cypher

import (
	"fmt"
	"testing"

	"cassini/manager/cypher/memory"
	"cassini/manager/cypher/value"
)

// estate is a graph of hosts, each of which runs services as processes that are
// clients of services on the next hosts. Names are indexed.
func estate(hosts, services int) *memory.Graph {
	b := memory.NewBuilder(memory.Options{Indexed: []string{"name"}})
	var nodes, rels int64
	node := func(label, name string, props value.Map) *value.Node {
		props["name"] = name
		n := value.NewNode(nodes, name, []string{label}, func() value.Map { return props })
		nodes++
		b.Node(n)
		return n
	}
	relate := func(kind string, from, to *value.Node, props value.Map) {
		b.Relationship(value.NewRelationship(rels, fmt.Sprint(rels), kind, from, to, func() value.Map { return props }))
		rels++
	}
	all := make([][]*value.Node, hosts)
	processes := make([][]*value.Node, hosts)
	for h := range hosts {
		host := node("Host", fmt.Sprintf("h%d", h), value.Map{"rack": int64(h % 10)})
		for s := range services {
			service := node("Service", fmt.Sprintf("h%d/s%d", h, s), value.Map{"port": int64(8000 + s)})
			process := node("Process", fmt.Sprintf("h%d/p%d", h, s), value.Map{"pid": int64(100 + s)})
			relate("RUNS", host, service, nil)
			relate("RUNS_AS", service, process, nil)
			all[h], processes[h] = append(all[h], service), append(processes[h], process)
		}
	}
	for h := range hosts {
		for s := range services {
			for k := 1; k <= 3; k++ {
				relate("DEPENDS_ON", processes[h][s], all[(h+k)%hosts][(s+k)%services], value.Map{"connections": int64(h*s + k)})
			}
		}
	}
	return b.Graph()
}

func run(t testing.TB, q string, params map[string]any) (Result, error) {
	t.Helper()
	query, err := Compile(q)
	if err != nil {
		return Result{}, err
	}
	return query.Run(t.Context(), estate(3, 2), Options{Params: params})
}
