"""Every weight method and every structure has the invariants of its paper as tests; here is where they stand.

What all weight methods owe alike (numbers of parameters and buffers as planned, frozen weights untouched, merging,
reloading, decay) is in test_weights_contract.py.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nasdsl.language.signatures.methods import METHODS

Invariants = dict[str, tuple[str, tuple[str, ...]]]  # method -> file, tests in it

WEIGHTS: Invariants = {
    "weight_norm": (
        "test_normed_weights.py",
        (
            "test_the_length_of_v_changes_nothing",
            "test_each_output_has_the_length_g",
            "test_it_is_that_of_torch",
        ),
    ),
    "spectral_norm": (
        "test_normed_weights.py",
        (
            "test_the_largest_singular_value_is_one_after_fifty_accesses",
            "test_it_is_followed_in_training",
            "test_evaluation_iterates_nothing",
        ),
    ),
    "orthogonal": (
        "test_normed_weights.py",
        (
            "test_rows_or_columns_stay_orthonormal_after_steps",
            "test_an_orthonormal_weight_is_started_from",
            "test_steps_lead_to_the_nearest_orthonormal_matrix",
        ),
    ),
    "weight_standardized": (
        "test_normed_weights.py",
        (
            "test_each_output_has_mean_zero_and_variance_one",
            "test_scale_and_offset_of_the_original_change_nothing",
        ),
    ),
    "weight_compander": (
        "test_normed_weights.py",
        (
            "test_weights_are_bounded_however_large_v_is",
            "test_slopes_begin_between_half_of_the_peak_and_the_peak",
            "test_it_is_odd",
            "test_gradients_reach_a_and_b",
            "test_effective_decay_is_that_of_the_weights_in_use",
            "test_a_and_b_learn_at_a_tenth_of_the_rate_and_do_not_decay",
        ),
    ),
    "low_rank": (
        "test_low_rank_and_sparse_weights.py",
        (
            "test_the_full_rank_gives_the_weight_back",
            "test_the_error_of_rank_r_is_that_of_the_dropped_values",
            "test_the_rank_of_a_ratio_leaves_one_part_in_so_many",
        ),
    ),
    "nm_sparse": (
        "test_low_rank_and_sparse_weights.py",
        (
            "test_every_block_keeps_its_n_largest_in_the_end",
            "test_before_training_nothing_is_masked_but_under_ste",
            "test_a_fading_mask_passes_gradients_by_the_chain_rule",
            "test_a_mask_fades_linearly_between_its_ends",
            "test_frames_halve_what_is_kept_and_are_equally_long",
            "test_sr_ste_adds_its_pull_to_dropped_weights_alone",
            "test_structure_decay_passes_the_gradient_straight",
        ),
    ),
    "mask_tuned": (
        "test_low_rank_and_sparse_weights.py",
        (
            "test_the_gradient_of_a_score_is_that_of_the_weight_times_the_weight",
            "test_what_is_dropped_is_what_has_a_score_below_the_threshold",
            "test_the_smallest_share_of_weights_has_scores",
            "test_gradients_that_agree_are_kept_and_others_as_often_as_they_outweigh",
            "test_half_a_rate_halves_what_is_dropped",
            "test_the_penalty_is_the_plain_norm_of_the_scores",
        ),
    ),
    "svfit": ("test_tuned_weights.py", ("test_only_leading_singular_values_move",)),
    "lora": (
        "test_tuned_weights.py",
        ("test_an_update_has_the_rank_and_the_scale", "test_at_the_start_b_alone_has_a_gradient"),
    ),
    "lora_xs": ("test_tuned_weights.py", ("test_the_square_matrix_moves_between_the_leading_vectors",)),
    "lora_sb": (
        "test_tuned_weights.py",
        (
            "test_the_first_step_is_the_best_of_its_rank",
            "test_its_vectors_are_orthonormal",
            "test_the_gradient_of_r_is_the_projected_one",
            "test_gradients_of_several_passes_are_summed_before_the_sign",
        ),
    ),
    "intrinsic": (
        "test_tuned_weights.py",
        (
            "test_lengths_are_kept_on_average",
            "test_the_map_is_linear_and_of_full_rank",
            "test_all_numbers_reach_a_tensor_that_is_smaller_than_they_are",
            "test_a_scale_multiplies_the_move",
            "test_butterflies_are_the_matrix_of_walsh_and_hadamard",
        ),
    ),
}

STRUCTURE: Invariants = {
    "widen": (
        "test_experts.py",
        (
            "test_evaluation_is_the_definition_row_by_row",
            "test_one_expert_is_its_body",
            "test_a_uniform_router_gives_the_loss_its_weight",
            "test_no_expert_takes_more_than_its_room_and_every_slot_counts",
            "test_what_finds_no_room_gives_zero_and_a_residual_carries_it",
            "test_parameters_of_shared_attention_and_experts_do_not_grow_with_depth",
            "test_the_gradient_of_shared_weights_is_the_sum_over_depths",
            "test_enforced_experts_start_alike_so_any_route_gives_the_body",
            "test_only_the_routed_expert_learns_and_the_order_is_kept",
        ),
    ),
    "gate": (
        "test_gate_and_adapter.py",
        (
            "test_a_mass_of_one_drops_dead_channels_only",
            "test_more_mass_keeps_more_channels_and_each_keeps_one",
            "test_a_decoupled_predictor_leaves_the_layers_before_it_alone",
            "test_the_loss_is_the_mean_over_gates_and_goes_after_half_of_the_training",
        ),
    ),
    "adapter": (
        "test_gate_and_adapter.py",
        (
            "test_an_adapter_changes_nothing_at_the_start",
            "test_parameters_are_two_thin_maps_with_offsets",
            "test_within_frozen_only_adapters_learn",
            "test_an_identity_in_parallel_is_a_low_rank_update_of_a_linear_layer",
            "test_connected_adapters_learn_past_a_body_that_passes_no_gradient",
        ),
    ),
    "init": (
        "test_initial.py",
        (
            "test_critical_weights_keep_the_size_of_signals_at_any_depth",
            "test_critical_weights_lead_to_the_fixed_point",
            "test_orthogonal_weights_are_orthonormal_up_to_their_size",
        ),
    ),
}


def test_every_weight_method_has_its_row() -> None:
    assert WEIGHTS.keys() == METHODS.keys()


@pytest.mark.parametrize("method", {**WEIGHTS, **STRUCTURE})
def test_the_invariants_are_tested(method: str) -> None:
    file, wanted = {**WEIGHTS, **STRUCTURE}[method]
    tree = ast.parse((Path(__file__).parent / file).read_text("utf-8"))
    assert set(wanted) <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
