package ast

// Expr is an expression.
type Expr interface{ Pos() Pos }

// Kinds of expressions.
type (
	// Literal is a constant: nil, bool, int64, float64 or string.
	Literal struct {
		At    Pos
		Value any
	}
	// Param is a parameter.
	Param struct {
		At   Pos
		Name string
	}
	// Variable is a variable.
	Variable struct {
		At   Pos
		Name string
	}
	// Property is X.Key.
	Property struct {
		At  Pos
		X   Expr
		Key string
	}
	// Index is X[I].
	Index struct {
		At   Pos
		X, I Expr
	}
	// Slice is X[From..To]; both may be nil.
	Slice struct {
		At          Pos
		X, From, To Expr
	}
	// Unary is NOT, - or +.
	Unary struct {
		At Pos
		Op string
		X  Expr
	}
	// Binary is an operator between two expressions, its name in capitals.
	Binary struct {
		At   Pos
		Op   string
		L, R Expr
	}
	// Compare is a chain of comparisons: First Ops[0] Rest[0] Ops[1] Rest[1].
	Compare struct {
		At    Pos
		First Expr
		Ops   []string
		Rest  []Expr
	}
	// IsNull is X IS NULL, or with Not X IS NOT NULL.
	IsNull struct {
		At  Pos
		X   Expr
		Not bool
	}
	// HasLabels is X:Label:Label, or with Is any condition on labels.
	HasLabels struct {
		At     Pos
		X      Expr
		Labels []string
		Is     *Labels
	}
	// ListLit is [a, b].
	ListLit struct {
		At    Pos
		Items []Expr
	}
	// MapLit is {k: v}, in the order written, or Of {k: v}, which with All has all
	// properties of Of besides.
	MapLit struct {
		At     Pos
		Keys   []string
		Values []Expr
		Of     Expr // or nil
		All    bool
	}
	// Call is a function. Star is that of count(*).
	Call struct {
		At             Pos
		Name           string
		Args           []Expr
		Distinct, Star bool
	}
	// Case is CASE; Subject and Else may be nil.
	Case struct {
		At            Pos
		Subject, Else Expr
		When, Then    []Expr
	}
	// ListComp is [Var IN List WHERE Where | Map]; both may be nil.
	ListComp struct {
		At         Pos
		Var        string
		List       Expr
		Where, Map Expr
	}
	// PatternComp is [Pattern WHERE Where | Map].
	PatternComp struct {
		At         Pos
		Pattern    *Pattern
		Where, Map Expr
	}
	// Quantifier is all, any, none or single(Var IN List WHERE Where).
	Quantifier struct {
		At    Pos
		Kind  string
		Var   string
		List  Expr
		Where Expr
	}
	// Reduce is reduce(Acc = Init, Var IN List | Step).
	Reduce struct {
		At       Pos
		Acc, Var string
		Init     Expr
		List     Expr
		Step     Expr
	}
	// Exists is a pattern that is a condition, EXISTS { } or COUNT { }.
	Exists struct {
		At      Pos
		Query   *Query // or nil, and then Match
		Match   *Match
		Pattern bool // it is a pattern that brings no new variables
		Called  bool // and was written as exists(pattern)
		Count   bool // how many rows there are, not whether there is one
	}
)

// Pos is where the expression stands.
func (e *Literal) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Param) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Variable) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Property) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Index) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Slice) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Unary) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Binary) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Compare) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *IsNull) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *HasLabels) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *ListLit) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *MapLit) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Call) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Case) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *ListComp) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *PatternComp) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Quantifier) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Reduce) Pos() Pos { return e.At }

// Pos is where the expression stands.
func (e *Exists) Pos() Pos { return e.At }
