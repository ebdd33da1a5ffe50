// Command flows is a test tool: it says what a set of NetworkPolicies lets through, as Cyclonus reads them.
//
// On stdin it takes one JSON object with policies, peers and probes. A peer with a namespace is a pod, one without is
// an address that is no pod's. A probe is a packet: the numbers of two peers, a port and a protocol. For each probe it
// prints a line of three fields, parted by tabs: "allowed" or "denied", and what decided at either end.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
)

type peer struct {
	Address         string            `json:"address"`
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
}

type probe struct {
	Source      int           `json:"source"`
	Destination int           `json:"destination"`
	Port        int           `json:"port"`
	Protocol    core.Protocol `json:"protocol"`
}

type question struct {
	Policies []*networking.NetworkPolicy `json:"policies"`
	Peers    []peer                      `json:"peers"`
	Probes   []probe                     `json:"probes"`
}

func (p peer) traffic() *matcher.TrafficPeer {
	if p.Namespace == "" {
		return &matcher.TrafficPeer{IP: p.Address}
	}
	pod := &matcher.InternalPeer{PodLabels: p.Labels, NamespaceLabels: p.NamespaceLabels, Namespace: p.Namespace}
	return &matcher.TrafficPeer{Internal: pod, IP: p.Address}
}

// decisive names the rules that let a packet through at one end, or the policies that hold it there.
func decisive(result *matcher.DirectionResult, traffic *matcher.Traffic, ingress bool) string {
	if len(result.AllowingTargets) == 0 && len(result.DenyingTargets) == 0 {
		return "no policy"
	}
	var found []string
	for _, target := range result.AllowingTargets {
		for _, policy := range target.SourceRules {
			found = append(found, opening(policy, traffic, ingress)...)
		}
	}
	if len(result.AllowingTargets) == 0 {
		for _, target := range result.DenyingTargets {
			for _, policy := range target.SourceRules {
				found = append(found, "no rule of "+policy.Namespace+"/"+policy.Name)
			}
		}
	}
	return strings.Join(found, ", ")
}

// opening names the rules of one policy that let a packet through.
func opening(policy *networking.NetworkPolicy, traffic *matcher.Traffic, ingress bool) []string {
	direction, other := "egress", traffic.Destination
	var rules [][]matcher.PeerMatcher
	if ingress {
		direction, other = "ingress", traffic.Source
		for _, rule := range policy.Spec.Ingress {
			rules = append(rules, matcher.BuildPeerMatcher(policy.Namespace, rule.Ports, rule.From))
		}
	} else {
		for _, rule := range policy.Spec.Egress {
			rules = append(rules, matcher.BuildPeerMatcher(policy.Namespace, rule.Ports, rule.To))
		}
	}
	var found []string
	for number, peers := range rules {
		for _, each := range peers {
			if each.Allows(other, traffic.ResolvedPort, "", traffic.Protocol) {
				found = append(found, fmt.Sprintf("%s[%d] of %s/%s", direction, number, policy.Namespace, policy.Name))
				break
			}
		}
	}
	return found
}

func main() {
	log.SetFlags(0)
	var asked question
	decoder := json.NewDecoder(bufio.NewReader(os.Stdin))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		log.Fatal(err)
	}
	peers := make([]*matcher.TrafficPeer, len(asked.Peers))
	for number, each := range asked.Peers {
		peers[number] = each.traffic()
	}
	// Not simplified: what is judged is what is written.
	policy := matcher.BuildNetworkPolicies(false, asked.Policies)
	out := bufio.NewWriter(os.Stdout)
	for _, each := range asked.Probes {
		traffic := &matcher.Traffic{
			Source:       peers[each.Source],
			Destination:  peers[each.Destination],
			ResolvedPort: each.Port,
			Protocol:     each.Protocol,
		}
		result := policy.IsTrafficAllowed(traffic)
		verdict := "denied"
		if result.IsAllowed() {
			verdict = "allowed"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", verdict,
			decisive(result.Egress, traffic, false), decisive(result.Ingress, traffic, true))
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
