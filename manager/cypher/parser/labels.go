package parser

import "cassini/manager/cypher/ast"

// labels reads a condition on labels, such as :A:B, :A|B or :!(A&B). With nothing
// but labels that must all be there it is names, else is. Without bars a | ends
// it: in a comprehension it is the comprehension's.
func (p *parser) labels(bars bool) (names []string, is *ast.Labels, err error) {
	if !p.symbol(":") {
		return nil, nil, nil
	}
	if is, err = p.anyLabel(bars); err != nil {
		return nil, nil, err
	}
	if names, ok := is.Names("&"); ok {
		return names, nil, nil
	}
	return nil, is, nil
}

// anyLabel reads labels of which one is enough.
func (p *parser) anyLabel(bars bool) (*ast.Labels, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	return p.joined("|", func() bool {
		more := bars && p.symbol("|")
		return more && (p.symbol(":") || more)
	}, func() (*ast.Labels, error) {
		return p.joined("&", func() bool { return p.symbol("&") || p.symbol(":") }, p.label)
	})
}

// joined reads parts with something between them.
func (p *parser) joined(op string, more func() bool, part func() (*ast.Labels, error)) (*ast.Labels, error) {
	first, err := part()
	if err != nil || !more() {
		return first, err
	}
	all := &ast.Labels{Op: op, Of: []*ast.Labels{first}}
	for {
		next, err := part()
		if err != nil {
			return nil, err
		}
		all.Of = append(all.Of, next)
		if !more() {
			return all, nil
		}
	}
}

// label reads one label, its negation, or a condition in brackets.
func (p *parser) label() (*ast.Labels, error) {
	switch {
	case p.symbol("%"):
		return &ast.Labels{Op: "%"}, nil
	case p.symbol("!"):
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		l, err := p.label()
		return &ast.Labels{Op: "!", Of: []*ast.Labels{l}}, err
	case p.symbol("("):
		l, err := p.anyLabel(true)
		if err != nil {
			return nil, err
		}
		return l, p.want(")")
	}
	name, err := p.name("a label")
	return &ast.Labels{Name: name}, err
}
