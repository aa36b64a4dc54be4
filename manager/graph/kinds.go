package graph

import "cassini/model"

// nodeKind is a kind of nodes, in a byte.
type nodeKind uint8

// Kinds of nodes: those of model.
const (
	nodeHost nodeKind = iota
	nodeService
	nodeEndpoint
	nodeProcess
	nodeUnknownHost
	nodeInterface
	nodeIP
	nodeSubnet
	nodeMAC
	nodeSwitch
	nodeSwitchPort
	nodeVLAN
	nodeRing
	nodeKinds // how many there are
)

var nodeKindNames = [...]string{
	nodeHost: model.KindHost, nodeService: model.KindService, nodeEndpoint: model.KindEndpoint, nodeProcess: model.KindProcess,
	nodeUnknownHost: model.KindUnknownHost, nodeInterface: model.KindInterface, nodeIP: model.KindIP, nodeSubnet: model.KindSubnet,
	nodeMAC: model.KindMAC, nodeSwitch: model.KindSwitch, nodeSwitchPort: model.KindSwitchPort, nodeVLAN: model.KindVLAN, nodeRing: model.KindRing,
}

// String is the kind as answers have it.
func (k nodeKind) String() string { return nodeKindNames[k] }

// kindOrder is the order of kinds by name.
var kindOrder = func() (order [nodeKinds]uint8) {
	for k := range nodeKinds {
		for _, name := range nodeKindNames {
			order[k] += uint8(b2i(name < k.String()))
		}
	}
	return order
}()

// edgeKind is a kind of edges, in a byte.
type edgeKind uint8

// Kinds of edges: those of model.
const (
	edgeRuns edgeKind = iota
	edgeListensOn
	edgeRunsAs
	edgeHas
	edgeOwns
	edgeIn
	edgeWiredTo
	edgeForwardsTo
	edgeSees
	edgeOn
	edgeDependsOn
	edgeNext
	edgeKinds // how many there are
)

var edgeKindNames = [...]string{
	edgeRuns: model.EdgeRuns, edgeListensOn: model.EdgeListensOn, edgeRunsAs: model.EdgeRunsAs, edgeHas: model.EdgeHas,
	edgeOwns: model.EdgeOwns, edgeIn: model.EdgeIn, edgeWiredTo: model.EdgeWiredTo, edgeForwardsTo: model.EdgeForwardsTo,
	edgeSees: model.EdgeSees, edgeOn: model.EdgeOn, edgeDependsOn: model.EdgeDependsOn, edgeNext: model.EdgeNext,
}

// String is the kind as answers have it.
func (k edgeKind) String() string { return edgeKindNames[k] }
