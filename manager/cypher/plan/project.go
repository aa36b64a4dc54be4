package plan

import (
	"fmt"
	"slices"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/functions"
)

// projector plans WITH or RETURN with what hangs on it.
type projector struct {
	p      *Planner
	proj   *ast.Projection // without *
	names  *ast.Columns
	before Scope
	after  Scope
	ops    []Op
	cols   []int
	agg    *Aggregate     // or nil
	calls  map[string]int // slot of each aggregation, by its key
	groups Scope          // hidden names of keys and aggregations
	keys   map[string]string
	keep   []ast.Expr // that needs variables of before behind the columns
}

func (p *Planner) project(proj *ast.Projection, where ast.Expr, scope Scope) ([]Op, Scope, []int) {
	j := &projector{p: p, proj: expandStar(proj, scope), before: scope, after: Scope{}, calls: map[string]int{}, groups: Scope{}, keys: map[string]string{}}
	j.names = ast.NewColumns(j.proj)
	if slices.ContainsFunc(j.proj.Items, func(i ast.Item) bool { return aggregates(i.Expr) }) {
		j.group()
	} else {
		j.columns()
	}
	around := j.after
	if j.agg == nil && !proj.Distinct {
		around = scope.with(j.after)
	}
	if proj.Distinct {
		j.ops = append(j.ops, &Distinct{Slots: j.cols})
	}
	if where != nil {
		where = j.names.Projected(where)
		j.keep = append(j.keep, where)
	}
	j.order(around)
	if proj.Skip != nil {
		j.ops = append(j.ops, &Skip{Bound{proj.Skip, Scope{}}})
	}
	if proj.Limit != nil {
		j.ops = append(j.ops, &Limit{Bound{proj.Limit, Scope{}}})
	}
	if where != nil {
		j.ops = append(j.ops, &Filter{Bound{where, around}})
	}
	return j.ops, j.after, j.cols
}

// expandStar puts the variables in the place of *.
func expandStar(proj *ast.Projection, scope Scope) *ast.Projection {
	out := *proj
	if !proj.Star {
		return &out
	}
	out.Star, out.Items = false, nil
	for _, name := range ast.SortedNames(scope) {
		if visible(name) != "" {
			out.Items = append(out.Items, ast.Item{Expr: &ast.Variable{At: proj.At, Name: name}, Name: name, At: proj.At})
		}
	}
	out.Items = append(out.Items, proj.Items...)
	return &out
}

// columns computes what is not a variable; a variable keeps its slot.
func (j *projector) columns() {
	project := &Project{}
	for _, item := range j.proj.Items {
		slot, plain := 0, false
		if v, ok := item.Expr.(*ast.Variable); ok {
			slot, plain = j.before[v.Name]
		}
		if !plain {
			slot = j.p.Slot()
			project.Items = append(project.Items, Assign{Bound{item.Expr, j.before}, slot, item.Name})
		}
		j.after[item.Name] = slot
		j.cols = append(j.cols, slot)
	}
	if project.Items != nil {
		j.ops = append(j.ops, project)
	}
}

// group plans an aggregation: columns without one are what rows are grouped by,
// the others are computed from aggregations and from those.
func (j *projector) group() {
	j.agg = &Aggregate{}
	j.ops = append(j.ops, j.agg)
	slots := make([]int, len(j.proj.Items))
	for i, item := range j.proj.Items {
		slots[i] = j.p.Slot()
		j.after[item.Name] = slots[i]
		if !aggregates(item.Expr) {
			j.agg.Keys = append(j.agg.Keys, Assign{Bound{item.Expr, j.before}, slots[i], item.Name})
			hidden := fmt.Sprintf(" key %d", slots[i])
			j.groups[hidden] = slots[i]
			j.keys[j.names.Key(item.Expr)] = hidden
		}
	}
	project := &Project{}
	for i, item := range j.proj.Items {
		if aggregates(item.Expr) {
			project.Items = append(project.Items, Assign{Bound{j.over(item.Expr), j.groups}, slots[i], item.Name})
		}
	}
	j.cols = slots
	j.ops = append(j.ops, project)
}

// over is an expression as it is computed from groups: aggregations and keys are
// variables.
func (j *projector) over(e ast.Expr) ast.Expr {
	return ast.Rewrite(e, func(e ast.Expr, local []string) ast.Expr {
		if c, ok := e.(*ast.Call); ok && aggregation(c) {
			return &ast.Variable{At: c.At, Name: j.aggregation(c)}
		}
		if j.names.GroupedBy(e, local) {
			return &ast.Variable{At: e.Pos(), Name: j.keys[j.names.Key(e)]}
		}
		return nil
	})
}

// aggregation is the hidden name of an aggregation; the same one is computed once.
func (j *projector) aggregation(c *ast.Call) string {
	text := j.names.Key(c)
	slot, known := j.calls[text]
	if !known {
		slot = j.p.Slot()
		j.calls[text] = slot
		j.agg.Aggs = append(j.agg.Aggs, Agg{c, j.before, slot})
	}
	name := fmt.Sprintf(" aggregation %d", slot)
	j.groups[name] = slot
	return name
}

// order plans ORDER BY.
func (j *projector) order(around Scope) {
	if j.proj.Order == nil {
		return
	}
	sort := &Sort{}
	for _, s := range j.proj.Order {
		key := Key{Bound{j.names.Projected(s.Expr), around}, s.Desc}
		if aggregates(s.Expr) {
			key.Bound = Bound{j.over(s.Expr), nil}
		}
		sort.Keys = append(sort.Keys, key)
	}
	for i, k := range sort.Keys {
		if k.Scope == nil { // only now all aggregations are known
			sort.Keys[i].Scope = j.after.with(j.groups)
		}
	}
	sort.Slots = j.needed(around)
	if j.proj.Limit != nil {
		sort.Limit = &Bound{j.proj.Limit, Scope{}}
		if j.proj.Skip != nil {
			sort.Skip = &Bound{j.proj.Skip, Scope{}}
		}
	}
	j.ops = append(j.ops, sort)
}

// needed are the slots that must outlive sorting: the columns, and what the
// condition behind WITH mentions.
func (j *projector) needed(around Scope) []int {
	slots := slices.Clone(j.cols)
	for _, e := range j.keep {
		if subquery(e) {
			for _, slot := range around {
				slots = append(slots, slot)
			}
		}
		for name := range ast.Variables(e) {
			if slot, ok := around[name]; ok {
				slots = append(slots, slot)
			}
		}
	}
	slices.Sort(slots)
	return slices.Compact(slots)
}

func aggregation(c *ast.Call) bool {
	_, ok := functions.LookupAggregate(c.Name)
	return ok
}

// aggregates says whether an expression has an aggregation in it.
func aggregates(e ast.Expr) bool {
	if c, ok := e.(*ast.Call); ok && aggregation(c) {
		return true
	}
	return slices.ContainsFunc(ast.Children(e), aggregates)
}
