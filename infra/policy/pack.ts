import { PolicyPack } from "@pulumi/policy";
import { policiesOf } from "./policies";
import { rules } from "./rules";

new PolicyPack("player-predictions", { enforcementLevel: "mandatory", policies: policiesOf(rules(new Date())) });
